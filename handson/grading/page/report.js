"use strict";
(() => {
  // The class, and what the page says. Whatever a stranger wrote reaches the page as text only:
  // `make` knows tags and attributes of this file, and everything inside an element is a text node.
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const room = read("class");
  const { words, signs, checks, marked, rows } = room;
  const [ID, NAME, GROUP, STATUS, POINTS, GIVEN, WRITTEN, REVIEW, HANDED, PRINT] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const manual = marked.reduce((sum, item) => sum + item[1], 0);
  const everyone = rows.map((_, n) => n);
  const lang = document.documentElement.lang;

  const say = (key, values = {}) =>
    words[key].replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));

  const make = (tag, given, ...inside) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(given ?? {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...inside.flat(9).filter((part) => part != null && part !== false));
    return element;
  };
  const theirs = (text, tag = "bdi") => make(tag, { dir: "auto" }, text);
  const hidden = (text) => make("span", { class: "spoken" }, text);
  const label = (n) => [rows[n][ID], rows[n][NAME]].filter(Boolean).join(" ");
  const state = (status) => [
    make("span", { "aria-hidden": "true" }, signs[status], " "), say(status),
  ];

  // Marks: what the file came with, and over it what was given in this browser since.
  const store = (() => {
    try { localStorage.setItem("handson.marks", "1"); return localStorage; } catch { return null; }
  })();
  const key = (n) => `handson.marks/1 ${JSON.stringify([rows[n][ID], rows[n][PRINT], rows[n][GIVEN]])}`;
  const kept = (n) => {
    try {
      const found = JSON.parse(store?.getItem(key(n)) ?? "null");
      return Array.isArray(found) && found.length === marked.length
        && found.every((mark, i) => mark === null || isMark(mark, i)) ? found : null;
    } catch { return null; }
  };
  const isMark = (mark, i) => typeof mark === "number" && mark >= 0 && mark <= marked[i][1];
  const marks = everyone.map((n) => kept(n) ?? [...rows[n][GIVEN]]);
  const isMarked = (n) => marks[n].every((mark) => mark !== null);
  const sum = (n) => marks[n].reduce((all, mark) => all + (mark ?? 0), 0);
  const some = (n) => marks[n].some((mark) => mark !== null);

  const give = (n, i, mark) => {
    marks[n][i] = mark;
    try { store?.setItem(key(n), JSON.stringify(marks[n])); } catch { /* said beside the button */ }
    rowOf(n).replaceWith((cache[n] = row(n)));
    tellMarked();
  };

  const csvCell = (value) => {
    let text = String(value ?? "");
    if (/^\s*[=+\-@]|^[\t\r]/.test(text)) text = `'${text}`;
    return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = () => [
    ["learner", "answers", ...marked.map((item) => item[0])],
    ...everyone.map((n) => [rows[n][ID], rows[n][PRINT], ...marks[n]]),
  ].map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");

  const save = () => {
    const address = URL.createObjectURL(new Blob(["\ufeff", csv()], { type: "text/csv" }));
    make("a", { href: address, download: "marks.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    told.textContent = say("saved", { file: "marks.csv" });
  };
  const forget = () => {
    if (!confirm(say("forget-sure"))) return;
    for (const n of everyone) {
      store?.removeItem(key(n));
      marks[n] = [...rows[n][GIVEN]];
      cache[n] = row(n);
    }
    arrange();
    tellMarked();
  };
  const told = make("p", { role: "status" });
  const count = make("p", {});
  const tellMarked = () => {
    count.textContent = say("marked", { learners: rows.length, marked: everyone.filter(isMarked).length });
  };

  // The table of learners: drawn once, then rows are only moved and hidden.
  const hasGroups = rows.some((each) => each[GROUP]);
  const compare = new Intl.Collator(lang, { numeric: true }).compare;
  const byText = (of) => (a, b) => compare(of(a), of(b));
  const byNumber = (of) => (a, b) => of(a) - of(b);
  const order = { passed: 3, failed: 2, unproven: 1, missing: 0 };
  const columns = [
    { title: say("learner"), by: byText(label) },
    hasGroups && { title: say("group"), by: byText((n) => rows[n][GROUP]) },
    ...checks.map(([, short, full], i) => ({
      title: short, full, by: byNumber((n) => order[rows[n][STATUS][i]]),
    })),
    { title: say("points"), number: true, by: byNumber((n) => rows[n][POINTS]) },
    { title: say("marks"), number: true, by: byNumber((n) => (some(n) ? sum(n) : -1)) },
    { title: say("total"), number: true, by: byNumber((n) => rows[n][POINTS] + sum(n)) },
    { title: say("review"), number: true, by: byNumber((n) => rows[n][REVIEW]) },
  ].filter(Boolean);

  const cell = (status) => make("td", { class: status },
    make("span", { role: "img", "aria-label": say(status) }, signs[status]));
  const templates = Object.fromEntries(Object.keys(signs).map((status) => [status, cell(status)]));
  const plain = (text, kind) => {
    const made = document.createElement("td");
    if (kind) made.className = kind;
    made.textContent = text;
    return made;
  };
  const row = (n) => {
    const each = rows[n], made = document.createElement("tr");
    const head = make("th", { scope: "row" },
      make("a", { href: `#learner-${n}` }, theirs(each[ID]), " ", each[NAME] && theirs(each[NAME], "small")));
    made.append(head);
    if (hasGroups) made.append(plain(each[GROUP], "group"));
    for (const status of each[STATUS]) made.append(templates[status].cloneNode(true));
    made.append(
      plain(each[POINTS], "number"),
      plain(some(n) ? `${sum(n)}${isMarked(n) ? "" : "…"}` : "", "number"),
      plain(isMarked(n) ? each[POINTS] + sum(n) : "", "number"),
      plain(each[REVIEW] || "", each[REVIEW] ? "number review" : "number"),
    );
    return made;
  };
  const cache = everyone.map(row);
  const rowOf = (n) => cache[n];

  const shows = {
    all: () => true,
    review: (n) => rows[n][REVIEW] > 0,
    failed: (n) => rows[n][STATUS].some((status) => status !== "passed"),
    unmarked: (n) => !isMarked(n),
    absent: (n) => !rows[n][HANDED],
  };
  let sorting = { column: -1, down: false }, shown = everyone, picked = null;
  const body = make("tbody");
  const heads = columns.map((column, i) => make("th", { scope: "col", class: column.number && "number" },
    make("button", { type: "button", title: column.full, onclick: () => sort(i) },
      column.title, make("span", { class: "arrow", "aria-hidden": "true" }))));
  const live = make("p", { role: "status" });
  const search = make("input", { type: "search", id: "search", oninput: () => arrange() });
  const show = make("select", { id: "show", onchange: () => arrange() },
    Object.keys(shows).map((name) => make("option", { value: name }, say(`show-${name}`))));
  const chip = make("p", { class: "chip", hidden: true });

  const arrange = () => {
    const wanted = search.value.normalize("NFKC").toLowerCase().trim();
    const fits = shows[show.value];
    shown = everyone.filter((n) => fits(n) && (!picked || picked.has(n)) && (!wanted
      || `${label(n)} ${rows[n][GROUP]}`.normalize("NFKC").toLowerCase().includes(wanted)));
    if (sorting.column >= 0) {
      const { by } = columns[sorting.column];
      shown = [...shown].sort(sorting.down ? (a, b) => by(b, a) : by);
    }
    const all = document.createDocumentFragment();
    for (const n of shown) all.append(cache[n]);
    body.replaceChildren(all);
    live.textContent = say("shown", { shown: shown.length, learners: rows.length });
  };
  const sort = (i) => {
    sorting = { column: i, down: sorting.column === i && !sorting.down };
    heads.forEach((head, at) => {
      if (at === i) head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    arrange();
    live.textContent += ` ${say("sorted", {
      column: columns[i].full ?? columns[i].title, order: say(sorting.down ? "descending" : "ascending"),
    })}`;
  };
  const pick = (owners, what) => {
    picked = owners && new Set(owners);
    chip.hidden = !owners;
    chip.replaceChildren(...(owners ? [say("picked", { what }), " ",
      make("button", { type: "button", onclick: () => { pick(null); search.focus(); } }, say("unpick"))] : []));
    if (owners) { search.value = ""; show.value = "all"; }
    arrange();
    if (owners) { learners.scrollIntoView(); learners.querySelector("h2").focus(); }
  };

  const wide = (caption, ...inside) => scrolled("wide", caption, ...inside);
  const scrolled = (kind, caption, ...inside) =>
    make("div", { class: kind, role: "region", tabindex: "0", "aria-label": caption },
      make("table", {}, make("caption", { class: "spoken" }, caption), ...inside));
  const headings = (titles, numbers = []) => make("thead", {}, make("tr", {},
    titles.map((title, i) => make("th", { scope: "col", class: numbers.includes(i) && "number" }, title))));
  const pickButton = (owners, what) => make("button", {
    type: "button", "aria-label": say("show-them", { count: owners.length, what }),
    onclick: () => pick(owners, what),
  }, owners.length);

  const stack = (counts) => {
    const bar = make("div", { class: "bar", "aria-hidden": "true" });
    for (const [status, number] of counts) {
      if (!number) continue;
      const part = make("span", { class: status });
      part.style.flexGrow = number;
      bar.append(part);
    }
    return bar;
  };
  const results = () => wide(say("results"),
    headings([say("item"), ...Object.keys(signs).map(say), say("share")], [1, 2, 3, 4]),
    make("tbody", {}, checks.map(([, , full], i) => {
      const counts = Object.keys(signs).map(
        (status) => [status, rows.filter((each) => each[STATUS][i] === status).length]);
      return make("tr", {}, make("th", { scope: "row" }, full),
        counts.map(([status, number]) => plain(number || "", `number ${number ? status : ""}`)),
        make("td", {}, make("div", { class: "share" },
          stack(counts), `${Math.round((100 * counts[0][1]) / rows.length)}%`)));
    })));
  const stuck = () => (room.stuck.length === 0 ? make("p", {}, say("stuck-none")) : scrolled("wide short", say("stuck"),
    headings([say("fact"), say("item"), say("count")], [2]),
    make("tbody", {}, room.stuck.map(([check, fact, owners]) => make("tr", {},
      make("th", { scope: "row" }, fact), make("td", {}, check),
      make("td", { class: "number" }, pickButton(owners, fact)))))));
  const found = () => (room.found.length === 0 ? make("p", {}, say("found-none")) : scrolled("wide short", say("found"),
    headings([say("severity"), say("finding"), say("count")], [2]),
    make("tbody", {}, room.found.map(([severity, code, example, owners]) => make("tr", {},
      make("td", { class: `verdict ${severity}` }, say(severity)),
      make("th", { scope: "row" }, make("code", {}, code), " ", theirs(example)),
      make("td", { class: "number" }, pickButton(owners, code)))))));

  const learners = make("section", { class: "learners" },
    make("h2", { id: "learners", tabindex: "-1" }, say("learners")),
    make("div", { class: "controls" },
      make("div", {}, make("label", { for: "search" }, say("search")), search),
      make("div", {}, make("label", { for: "show" }, say("show")), show)),
    chip, live,
    wide(say("learners"), make("thead", {}, make("tr", {}, heads)), body),
    make("p", { class: "quiet" }, Object.keys(signs).map((status) =>
      make("span", { class: `sign ${status}` }, state(status)))));

  const section = (name, ...inside) => make("section", {},
    make("h2", { id: name }, say(name)), ...inside);
  const classView = make("div", { id: "class-view" },
    section("glance",
      make("p", {}, say("summary", {
        learners: rows.length, handed: rows.filter((each) => each[HANDED]).length,
        review: everyone.filter(shows.review).length,
      })),
      room.asked.length > 0 && make("p", { class: "quiet" }, `${say("asked")}: ${room.asked.join(" · ")}`),
      results()),
    section("stuck", stuck()),
    section("found", found()),
    section("marking", make("p", { class: "quiet" }, say("marking-how")), count,
      make("p", { class: "buttons" },
        make("button", { type: "button", onclick: save }, say("save")), " ",
        make("button", { type: "button", class: "lesser", onclick: forget }, say("forget"))),
      told),
    learners);
  if (!store) told.textContent = say("not-kept");

  // One learner.
  const factRow = ({ passed, advice }, [fact, expected, observed]) => make("tr", { class: advice ? "advice" : "" },
    make("th", { scope: "row" }, fact, advice && make("small", {}, say("advice"))),
    make("td", {}, expected), make("td", {}, theirs(observed)),
    make("td", { class: passed ? "passed verdict" : advice ? "unproven verdict" : "failed verdict" },
      make("span", { "aria-hidden": "true" }, passed ? "✔ " : advice ? "ⓘ " : "✘ "),
      say(passed ? "yes" : "no")));
  const proofLine = (proof) => make("p", { class: "quiet" }, `${say("proof")}: `,
    theirs([proof.observed_at, proof.kind, proof.account, proof.region, proof.learner,
      proof.digest.slice(0, 19), proof.where].filter(Boolean).join(" · ")),
    !proof.intact && make("strong", { class: "failed" }, ` ${say("changed")}`));
  const checkPart = (check, facts, n, i) => {
    const status = rows[n][STATUS][i], [, , full, possible] = checks[i];
    return make("details", { class: "check", open: status !== "passed" },
      make("summary", {}, make("h4", {}, full),
        make("span", { class: status }, state(status)), " ",
        make("span", { class: "quiet" }, say("points-of", { points: check.points, possible })),
        check.reason && make("code", {}, check.reason)),
      check.facts.length > 0 && wide(full,
        headings([say("fact"), say("expected"), say("observed"), say("verdict")]),
        make("tbody", {}, check.facts.map((fact, at) => factRow(fact, facts[at])))),
      check.diagnoses.length > 0 && make("ul", {}, check.diagnoses.map(({ message, remedy }) =>
        make("li", {}, theirs(message), " → ", theirs(remedy)))),
      check.proof && proofLine(check.proof));
  };

  const image = (kind, svg, alt) => make("img", {
    src: `data:image/svg+xml,${encodeURIComponent(svg)}`, alt, class: kind,
  });
  const architecturePart = (data) => [
    make("h3", { class: "part" }, say("architecture")),
    data.unproven.length > 0 && make("p", { class: "unproven" }, `${say("unseen")}: ${data.unproven.join(", ")}`),
    data.architecture && image("architecture", data.architecture.svg, data.architecture.words),
  ];

  const highlighted = (text, common) => {
    const made = make("blockquote", { dir: "auto" });
    let at = 0;
    const next = () => common.map((passage) => [text.indexOf(passage, at), passage])
      .filter(([found]) => found >= 0).sort((a, b) => a[0] - b[0] || b[1].length - a[1].length)[0];
    for (let place = next(); place; place = next()) {
      const [found, passage] = place;
      made.append(text.slice(at, found), make("mark", {}, passage));
      at = found + passage.length;
    }
    made.append(text.slice(at));
    return made;
  };
  const questionOf = (id) => marked.find((item) => item[0] === id)?.[2] ?? id;
  const findingPart = (finding, n) => make("li", {},
    make("p", {}, make("strong", { class: finding.severity }, say(finding.severity)), " ",
      theirs(finding.message)),
    make("p", { class: "quiet" }, `${say("todo")}: `, theirs(finding.remedy)),
    finding.where && make("p", { class: "quiet" }, `${say("where")}: `, theirs(finding.where)),
    finding.others?.length > 0 && make("p", { class: "quiet" }, `${say("others")}: `,
      theirs(finding.others.join(", "))),
    (finding.passages ?? []).map((passage) => make("details", { open: true },
      make("summary", {}, say("passages", { question: questionOf(passage.grade_id) })),
      make("div", { class: "beside" },
        make("div", {}, make("h4", {}, say("theirs", { learner: label(n) })),
          highlighted(passage.mine, passage.common)),
        make("div", {}, make("h4", {}, say("theirs", { learner: finding.others[0] })),
          highlighted(passage.theirs, passage.common))))));

  const markField = (n, i) => {
    const [id, possible] = marked[i];
    const wrong = make("span", { class: "failed", role: "status" });
    const field = make("input", {
      type: "number", id: `give-${id}`, min: 0, max: possible, step: "0.5", inputmode: "decimal",
      oninput: () => {
        const mark = field.value === "" && !field.validity.badInput ? null : field.valueAsNumber;
        const right = mark === null || isMark(mark, i);
        field.setAttribute("aria-invalid", String(!right));
        wrong.textContent = right ? "" : say("give-wrong", { possible });
        if (right) give(n, i, mark);
      },
    });
    field.value = marks[n][i] ?? "";
    return make("p", { class: "give" },
      make("label", { for: `give-${id}` }, say("give", { possible }), hidden(` ${marked[i][2]}`)),
      field, wrong);
  };
  const answerPart = (data, n, i) => make("section", { class: "answer" },
    make("h4", {}, marked[i][2]),
    rows[n][WRITTEN][i] === "answered"
      ? make("div", { class: "text", dir: "auto" }, data.answers[i].text)
      : make("p", { class: "unproven" }, say(rows[n][WRITTEN][i] === "missing" ? "no-cell" : "no-answer")),
    markField(n, i));
  let wantsPictures = false;
  const drawnPicture = (data) => {
    if (!data.diagram.drawn) return make("p", { class: "unproven" }, say("not-drawn"));
    if (!data.picture) return make("p", { class: "quiet" }, say("too-large"));
    // A picture can be made to be slow: none is drawn before one has been asked for.
    const folded = make("details", {
      open: wantsPictures,
      ontoggle: () => {
        wantsPictures = folded.open;
        if (folded.open && !folded.querySelector("img")) {
          folded.append(image("drawn", data.picture, say("picture")));
        }
      },
    }, make("summary", {}, say("picture")));
    return folded;
  };
  const diagramPart = (data, n) => {
    const i = marked.length - 1;
    return make("section", { class: "answer" },
      make("h4", {}, marked[i][2]),
      drawnPicture(data),
      rows[n][WRITTEN][i] === "answered"
        ? make("details", {}, make("summary", {}, say("code")), make("pre", {
          dir: "auto", tabindex: "0", role: "region", "aria-label": say("code") }, data.diagram.text))
        : make("p", { class: "unproven" }, say(rows[n][WRITTEN][i] === "missing" ? "no-cell" : "no-answer")),
      markField(n, i));
  };

  const ways = (n) => {
    const at = shown.indexOf(n);
    const link = (to, name) => to !== undefined
      && make("a", { href: `#learner-${to}`, rel: name === "after" ? "next" : "prev" },
        say(name, { learner: label(to) }));
    return [make("a", { href: "#class" }, say("back")),
      at > 0 && link(shown[at - 1], "before"), at >= 0 && link(shown[at + 1], "after")];
  };
  const pairs = (items) => make("dl", {}, items.filter(([, value]) => value)
    .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, theirs(value)))));
  const learnerView = make("div", { id: "learner-view", hidden: true });
  const open = (n) => {
    const data = read(`learner-${n}`), each = rows[n];
    const heading = make("h2", { tabindex: "-1" }, theirs(label(n)));
    learnerView.replaceChildren(
      make("nav", { "aria-label": say("place") }, ways(n)),
      heading,
      pairs([
        [say("group"), each[GROUP]],
        [say("points"), say("points-of", { points: each[POINTS], possible: room.automatic })],
        [say("marks"), some(n) && say("points-of", { points: sum(n), possible: manual })],
        [say("source"), data.source], [say("at"), data.handed_in_at], [say("named"), data.named.join(", ")],
      ]),
      !each[HANDED] ? make("p", {}, say("absent")) : "",
      ...(data.findings.length ? [make("h3", { class: "part" }, say("found")),
        make("ul", { class: "findings" }, data.findings.map((finding) => findingPart(finding, n)))] : []),
      make("h3", { class: "part" }, say("answers")),
      ...marked.slice(0, -1).map((_, i) => answerPart(data, n, i)),
      diagramPart(data, n),
      make("h3", { class: "part" }, say("checks")),
      ...data.checks.map((check, i) => checkPart(check, data.facts[i], n, i)),
      ...(each[HANDED] ? architecturePart(data).filter(Boolean) : []),
      make("nav", { class: "below" }, ways(n)));
    return heading;
  };

  let last = -1, place = 0;
  const route = () => {
    const n = Number(/^#learner-(\d+)$/.exec(location.hash)?.[1] ?? -1);
    const isLearner = n >= 0 && n < rows.length;
    if (isLearner && !classView.hidden) place = scrollY;
    classView.hidden = isLearner;
    learnerView.hidden = !isLearner;
    if (isLearner) {
      last = n;
      scrollTo(0, 0);
      open(n).focus({ preventScroll: true });
    } else if (last >= 0) {
      learnerView.replaceChildren();
      scrollTo(0, place);
      rowOf(last).querySelector("a").focus({ preventScroll: true });
      last = -1;
    }
  };

  arrange();
  tellMarked();
  document.body.append(
    make("header", {}, make("h1", {}, say("title"))),
    make("main", {}, classView, learnerView));
  addEventListener("hashchange", route);
  route();
})();
