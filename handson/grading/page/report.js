"use strict";
(() => {
  // The class, and what the page says. Whatever a stranger wrote reaches the page as text only:
  // `make` knows tags and attributes of this file, and everything inside an element is a text node.
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const room = read("class");
  const { words, signs, items, rows } = room;
  const checks = items.filter((item) => item.short), marked = items.filter((item) => !item.short);
  const add = (numbers) => Number(numbers.reduce((all, number) => all + number, 0).toFixed(6));
  const everyone = rows.map((_, n) => n);
  const lang = document.documentElement.lang;

  const say = (key, values = {}) =>
    words[key].replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));

  const make = (tag, given, ...inside) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(given ?? {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "style") element.style.cssText = value; // the policy forbids the attribute
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...inside.flat(9).filter((part) => part != null && part !== false));
    return element;
  };
  const theirs = (text, tag = "bdi") => make(tag, { dir: "auto" }, text);
  const hidden = (text) => make("span", { class: "spoken" }, text);
  const state = (status) => [
    make("span", { "aria-hidden": "true" }, signs[status], " "), say(status),
  ];

  // Names can be hidden: a number then stands for a learner, and the order tells nothing either.
  // Whatever else may name somebody has the class `names`, which the style sheet hides meanwhile.
  const blind = make("input", { type: "checkbox", id: "blind", onchange: () => {
    document.body.classList.toggle("blind", blind.checked);
    refresh();
  } });
  const mixed = everyone.toSorted((a, b) => (rows[a].print < rows[b].print ? -1 : 1));
  const numbers = new Map(mixed.map((n, at) => [n, say("number", { number: at + 1 })]));
  const named = (n) => [rows[n].learner, rows[n].name].filter(Boolean).join(" ");
  const label = (n) => (blind.checked ? numbers.get(n) : named(n));

  // Marks, comments and rulings, by the column of their file. They are kept in this page alone:
  // what the browser stores, any other local file that is opened in it can read and change.
  const possible = Object.fromEntries(items.map((item) => [item.id, item.possible]));
  const [, , ...fields] = room.columns;
  const given = rows.map((each) => each.given);
  let saved = given.map((each) => ({ ...each }));

  const readMark = (text) => Number(text.normalize("NFKC").replace(",", "."));
  const isMark = (mark, id) => mark >= 0 && mark <= possible[id];
  const worth = marked.filter((item) => item.possible).map((item) => item.id);
  const isMarked = (n) => [...worth, ...Object.keys(rows[n].conflicts)].every((id) => id in given[n]);
  const some = (n) => marked.some(({ id }) => id in given[n]);
  // A ruling has points and a reason, or it does not count.
  const isHalf = (n, { id, text }) => id in given[n] !== text in given[n];
  const isOverruled = (n, { id, text }) => id in given[n] && text in given[n];
  const counted = (n, item) => (item.short && !isOverruled(n, item) ? rows[n].points : given[n])[item.id];
  const sum = (n, which) => add(which.map((item) => counted(n, item) ?? 0));
  const whole = (which) => add(which.map((item) => item.possible));
  const isChanged = (n) => (field) => given[n][field] !== saved[n][field];
  const countChanges = () => add(everyone.map((n) => fields.filter(isChanged(n)).length));

  const give = (n, field, value) => {
    if (value === null || value === "") delete given[n][field];
    else given[n][field] = value;
    cache[n].replaceWith((cache[n] = row(n)));
    tellChanges();
  };

  // The file of marks: a spreadsheet may read it, and may have written it (as `tables.py` has it).
  const formula = new RegExp(`^(?:${room.formula})`), inner = new RegExp(room.inner, "g");
  const csvCell = (value = "") => {
    const text = String(value).replace(inner, "$1'");
    return `"${formula.test(text) ? "'" : ""}${text.replaceAll('"', '""')}"`;
  };
  const plainCell = (text) => {
    const own = text.replace(/^'/, "");
    return (formula.test(own) ? own : text).replace(inner, "$1").trim();
  };
  const readCsv = (text) => {
    const lines = [[]];
    for (const [, quoted, bare, end] of text.matchAll(/(?:"([^"]*(?:""[^"]*)*)"|([^,\r\n]*))(,|\r\n?|\n|$)/g)) {
      lines.at(-1).push(plainCell((quoted?.replaceAll('""', '"') ?? bare).trim()));
      if (end !== ",") lines.push([]);
    }
    const [columns, ...others] = lines.filter((line) => line.some(Boolean));
    return others.map((line) => Object.fromEntries(columns.map((column, i) => [column, line[i] ?? ""])));
  };
  const decode = (bytes) => {
    try { return new TextDecoder("utf-8", { fatal: true }).decode(bytes); }
    catch { return new TextDecoder("shift_jis").decode(bytes); }
  };

  const save = () => {
    const half = everyone.filter((n) => checks.some((check) => isHalf(n, check)));
    if (half.length) return tell(say("save-half", { learners: list(half.map(label)) }));
    saved = given.map((each) => ({ ...each }));
    const csv = [room.columns,
      ...rows.map((each, n) => [each.learner, each.print, ...fields.map((field) => given[n][field])]),
    ].map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
    const address = URL.createObjectURL(new Blob(["\ufeff", csv], { type: "text/csv" }));
    make("a", { href: address, download: "marks.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    tell(say("saved", { file: "marks.csv" }));
  };
  const openMarks = async (file) => {
    const lines = readCsv(decode(await file.arrayBuffer()));
    const columns = Object.keys(lines[0] ?? {});
    const known = fields.filter((field) => columns.includes(field));
    // A spreadsheet drops the zeros at the front of a number.
    const owners = new Map([(id) => id.replace(/^0+/, ""), (id) => id].flatMap(
      (write) => rows.map((each, n) => [write(each.learner), n])));
    const found = lines.filter((line) => owners.has(line.learner));
    if (!known.length || !found.length) return tell(say("open-no-marks", { file: file.name }));
    const taken = [], wrong = [], stale = [];
    for (const line of found) {
      const n = owners.get(line.learner);
      if (line.answers && line.answers !== rows[n].print) stale.push(label(n));
      for (const field of known.filter((each) => line[each])) {
        const value = field in possible ? readMark(line[field]) : line[field];
        if (field in possible && !isMark(value, field)) wrong.push(`${label(n)} ${field}: ${line[field]}`);
        else taken.push([n, field, value]);
      }
    }
    const lost = taken.filter(([n, field, value]) => isChanged(n)(field) && given[n][field] !== value);
    if (lost.length && !confirm(say("open-over", { count: lost.length }))) return;
    for (const [n, field, value] of taken) given[n][field] = saved[n][field] = value;
    cache = everyone.map(row);
    refresh();
    const told = {
      "open-unknown": columns.filter((each) => each && !room.columns.includes(each)),
      "open-strangers": lines.map((line) => line.learner).filter((who) => who && !owners.has(who)),
      "open-stale": stale,
      "open-wrong": wrong,
    };
    tell(say("opened", { file: file.name, learners: found.length }),
      ...Object.entries(told).map(([key, what]) => what.length > 0 && say(key, { what: list(what) })));
  };
  const list = (texts, most = 8) => [...texts.slice(0, most), ...(texts.length > most ? ["…"] : [])].join(", ");
  const told = make("p", { role: "status" });
  const tell = (...sentences) => {
    told.textContent = sentences.filter(Boolean).join(" ");
    tellChanges();
  };
  const changes = make("span", { class: "changes" });
  const tellChanges = () => {
    const count = countChanges();
    changes.textContent = count ? say("changes", { count }) : "";
  };
  addEventListener("beforeunload", (event) => { if (countChanges()) event.preventDefault(); });

  // The table of learners: drawn once, then rows are only moved and hidden.
  const compareTexts = new Intl.Collator(lang, { numeric: true }).compare;
  const hasGroups = rows.some((each) => each.group);
  const plain = (text, kind) => make("td", { class: kind }, text);
  const worst = ["missing", "unproven", "failed", "passed"];
  const number = (name, of, text = of, kind = "number") => (
    { title: say(name), of, kind: "number", cell: (n) => plain(text(n), kind) });
  const columns = [
    { title: say("learner"), of: label, cell: (n) => make("th", { scope: "row" }, make("a", { href: `#learner-${n}` },
      make("span", { class: "names" }, theirs(rows[n].learner), " ", rows[n].name && theirs(rows[n].name, "small")),
      make("span", { class: "numbers" }, numbers.get(n)))) },
    hasGroups && { title: say("group"), of: (n) => rows[n].group, cell: (n) => plain(rows[n].group) },
    ...checks.map((check) => ({
      title: check.short, full: check.title, of: (n) => worst.indexOf(rows[n].statuses[check.id]),
      cell: (n, status = rows[n].statuses[check.id]) => plain([make("span", { role: "img", "aria-label": say(status) },
        signs[status]), isOverruled(n, check) && "*"], status),
    })),
    number("points", (n) => sum(n, checks)),
    number("marks", (n) => (some(n) ? sum(n, marked) : -1), (n) => some(n) && `${sum(n, marked)}${isMarked(n) ? "" : "…"}`),
    number("total", (n) => sum(n, items), (n) => isMarked(n) && sum(n, items)),
    number("review", (n) => rows[n].review, (n) => rows[n].review || "", "number review"),
  ].filter(Boolean);
  const row = (n) => make("tr", {}, columns.map((column) => column.cell(n)));
  let cache = everyone.map(row);

  const shows = {
    all: () => true,
    review: (n) => rows[n].review > 0,
    failed: (n) => Object.values(rows[n].statuses).some((status) => status !== "passed"),
    unmarked: (n) => rows[n].handed_in && !isMarked(n),
    late: (n) => rows[n].late,
    absent: (n) => !rows[n].handed_in,
  };
  let sorting = { column: -1, down: false }, shown = everyone;
  const body = make("tbody");
  const heads = columns.map((column, i) => make("th", { scope: "col", class: column.kind },
    make("button", { type: "button", title: column.full, onclick: () => sort(i) },
      column.title, make("span", { class: "arrow", "aria-hidden": "true" }))));
  const live = make("p", { role: "status" });
  const search = make("input", { type: "search", id: "search", oninput: () => arrange() });
  const show = make("select", { id: "show", onchange: () => arrange() },
    Object.keys(shows).map((name) => make("option", { value: name }, say(`show-${name}`))));
  const picked = make("option", { value: "picked" });

  const arrange = () => {
    const wanted = search.value.normalize("NFKC").toLowerCase().trim();
    const fits = shows[show.value];
    shown = (blind.checked ? mixed : everyone).filter((n) => fits(n)
      && `${label(n)} ${rows[n].group}`.normalize("NFKC").toLowerCase().includes(wanted));
    if (sorting.column >= 0) {
      const { of } = columns[sorting.column], sign = sorting.down ? -1 : 1;
      const compare = shown.length && typeof of(shown[0]) === "number" ? (a, b) => a - b : compareTexts;
      shown = shown.toSorted((a, b) => sign * compare(of(a), of(b)));
    }
    body.replaceChildren(...shown.map((n) => cache[n]));
    live.textContent = say("shown", { shown: shown.length, learners: rows.length });
  };
  const sort = (i) => {
    sorting = { column: i, down: sorting.column === i && !sorting.down };
    const order = sorting.down ? "descending" : "ascending";
    heads.forEach((head, at) => { head.ariaSort = at === i ? order : null; });
    arrange();
    live.textContent += ` ${say("sorted", { column: columns[i].full ?? columns[i].title, order: say(order) })}`;
  };
  const pick = (owners, what) => {
    shows.picked = (n) => owners.includes(n);
    picked.textContent = say("picked", { what });
    show.append(picked);
    show.value = "picked";
    search.value = "";
    arrange();
    learners.scrollIntoView();
    learners.querySelector("h2").focus();
  };

  const wide = (caption, head, lines, kind = "wide") =>
    make("div", { class: kind, role: "region", tabindex: "0", "aria-label": caption },
      make("table", {}, make("caption", { class: "spoken" }, caption), make("thead", {}, make("tr", {}, head)), lines));
  const table = (caption, titles, numbers, lines, kind) => wide(caption, titles.map((title, i) => make("th", {
    scope: "col", class: numbers.includes(i) && "number" }, title)), make("tbody", {}, lines), kind);
  const owned = (title, about, lines) => table(title, [title, about, say("count")], [2],
    lines.map(([what, said, owners, code]) => make("tr", {},
      make("th", { scope: "row" }, theirs(what), code && make("small", {}, " ", make("code", {}, code))),
      make("td", {}, said),
      make("td", { class: "number" }, make("button", {
        type: "button", "aria-label": say("show-them", { count: owners.length, what: code ?? what }),
        onclick: () => pick(owners, code ?? what) }, owners.length)))), "wide short");

  const learners = make("section", { class: "learners" },
    make("h2", { id: "learners", tabindex: "-1" }, say("learners")),
    make("div", { class: "controls" },
      make("div", {}, make("label", { for: "search" }, say("search")), search),
      make("div", {}, make("label", { for: "show" }, say("show")), show)),
    live,
    wide(say("learners"), heads, body),
    make("p", { class: "quiet" }, Object.keys(signs).map((status) =>
      make("span", { class: `sign ${status}` }, state(status))), say("overruled")));

  // An item a row: who passed, and mean, standard deviation and how often which points were given, as it stands now.
  const round = (number) => Math.round(number * 100) / 100;
  const bars = (values, most) => {
    const steps = Math.min(Math.ceil(most), 10) || 1, counts = Array(steps + 1).fill(0);
    for (const value of values) counts[Math.round((value / (most || 1)) * steps)] += 1;
    const words = counts.map((count, step) => count && `${round((step / steps) * most)}: ${count}`).filter(Boolean).join(", ");
    return make("div", { class: "bars", role: "img", "aria-label": words, title: words },
      counts.map((count) => make("span", { style: `height: ${(100 * count) / Math.max(...counts)}%` })));
  };
  const itemRow = (title, most, values, id) => {
    const mean = add(values) / values.length;
    const deviation = Math.sqrt(add(values.map((value) => (value - mean) ** 2)) / values.length);
    const counts = Object.keys(signs).map(
      (status) => [status, rows.filter((each) => each.statuses[id] === status).length]);
    return make("tr", {}, make("th", { scope: "row" }, title),
      counts.map(([status, count]) => plain(count || "", `number ${count ? status : ""}`)),
      [most, values.length].map((number) => plain(number, "number")),
      [mean, deviation].map((number) => plain(values.length ? round(number) : "", "number")),
      make("td", {}, values.length > 0 && bars(values, most)));
  };
  const figures = make("div");
  const tellClass = () => {
    const handed = everyone.filter((n) => rows[n].handed_in), done = handed.filter(isMarked);
    const numbers = [...Object.keys(signs), "possible", "count", "mean", "deviation"];
    figures.replaceChildren(
      make("p", {}, say("marked", { learners: handed.length, marked: done.length })),
      table(say("results"), ["item", ...numbers, "spread"].map((key) => say(key)), [...numbers.keys()].map((i) => i + 1), [
        items.map((item) => itemRow(
          item.short ? item.title : make("a", { href: `#question-${marked.indexOf(item)}` }, item.title), item.possible,
          handed.map((n) => counted(n, item)).filter((points) => points !== undefined), item.id)),
        itemRow(say("total"), whole(items), done.map((n) => sum(n, items))),
      ]));
  };

  const section = (name, ...inside) => make("section", {},
    make("h2", { id: name }, say(name)), ...inside);
  const classView = make("div", { id: "class-view" },
    section("glance",
      make("p", {}, say("summary", {
        learners: rows.length, handed: rows.filter((each) => each.handed_in).length,
        review: everyone.filter(shows.review).length,
      })),
      room.asked.length > 0 && make("p", { class: "quiet" }, `${say("asked")}: ${room.asked.join(" · ")}`),
      make("p", { class: "quiet" }, say("marking-how")), figures),
    section("stuck", room.failed.length ? owned(say("fact"), say("item"), room.failed) : say("stuck-none"),
      room.diagnoses.length > 0 && make("div", { class: "names" }, owned(say("cause"), say("item"), room.diagnoses))),
    make("div", { class: "names" }, section("found", room.found.length
      ? owned(say("finding"), say("severity"), room.found.map(([what, severity, ...rest]) =>
        [what, make("span", { class: `verdict ${severity}` }, say(severity)), ...rest]))
      : say("found-none"))),
    learners);

  // One learner.
  const factRow = ([kind, fact, expected, observed]) => make("tr", {},
    make("th", { scope: "row", class: kind }, fact), make("td", {}, expected), make("td", {}, theirs(observed)));
  const proofLine = (proof) => make("p", { class: "quiet" }, `${say("proof")}: `,
    theirs([proof.observed_at, proof.kind, proof.account, proof.region, proof.learner,
      proof.digest.slice(0, 19), proof.where].filter(Boolean).join(" · ")),
    !proof.intact && make("strong", { class: "failed" }, ` ${say("changed")}`));
  const checkPart = (check, data, n) => {
    const { id, title } = check, mark = data.items[id], status = rows[n].statuses[id];
    const points = make("span", { class: "quiet" }), needed = make("p", { class: "failed", role: "status" });
    const tell = () => {
      points.textContent = say("points-of", { points: counted(n, check), possible: check.possible });
      needed.textContent = isHalf(n, check) ? say("both-needed") : "";
    };
    tell();
    return make("details", { class: "check", open: status !== "passed", oninput: tell },
      make("summary", {}, make("h4", {}, title),
        make("span", { class: status }, state(status)), " ",
        points, mark.reason && make("code", {}, mark.reason)),
      mark.facts.length > 0 && table(title, [say("fact"), say("expected"), say("observed")], [], mark.facts.map(factRow)),
      mark.diagnoses.length > 0 && make("ul", {}, mark.diagnoses.map(({ message, remedy }) =>
        make("li", {}, theirs(message), " → ", theirs(remedy)))),
      mark.proof && proofLine(mark.proof),
      make("details", { open: id in given[n] || id in rows[n].conflicts },
        make("summary", {}, say("overrule"), hidden(` ${title}`)), markFields(n, check, say("reason")), needed));
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
    const longestFirst = common.toSorted((a, b) => b.length - a.length);
    const passages = longestFirst.map((passage) => passage.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|");
    return make("blockquote", { dir: "auto" }, text.split(new RegExp(`(${passages})`))
      .map((part, i) => (i % 2 ? make("mark", {}, part) : part)));
  };
  const findingPart = (finding, n) => make("li", {},
    make("p", {}, make("strong", { class: finding.severity }, say(finding.severity)), " ", theirs(finding.message)),
    Object.entries({ todo: finding.remedy, where: finding.where, others: finding.others.join(", ") })
      .map(([key, text]) => text && make("p", { class: "quiet" }, `${say(key)}: `, theirs(text))),
    finding.passages.map((passage) => make("details", { open: true },
      make("summary", {}, say("passages", { question: items.find(({ id }) => id === passage.grade_id).title })),
      make("div", { class: "beside" },
        [[label(n), passage.mine], [finding.others[0], passage.theirs]].map(([learner, text]) => make("div", {},
          make("h4", {}, say("theirs", { learner })), highlighted(text, passage.common)))))));

  // Fields of marks. Enter goes on to the next points, and so does a comment that is taken again.
  const goOn = (from) => {
    const ahead = [...document.querySelectorAll("main :is(.points, .below [rel=next])")]
      .find((each) => each.checkVisibility() && from.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
    ahead?.focus();
    ahead?.select?.();
    ahead?.scrollIntoView({ block: "center" });
  };
  const onEnter = (wants) => (event) => {
    if (event.key !== "Enter" || event.isComposing || !wants(event)) return;
    event.preventDefault();
    goOn(event.target);
  };
  const labelled = (field, title, about) => [make("label", { for: field.id }, title, hidden(` ${about}`)), field];
  const pointsField = (n, id, about) => {
    const wrong = make("span", { class: "failed", role: "status" });
    // A field of type number would change its mark when the wheel scrolls the page over it.
    const field = make("input", {
      class: "points", id: `give-${n}-${id}`, inputmode: "decimal", autocomplete: "off",
      onkeydown: onEnter(() => true),
      oninput: () => {
        const typed = field.value.trim(), mark = readMark(typed);
        const right = typed === "" || isMark(mark, id);
        field.setAttribute("aria-invalid", String(!right));
        wrong.textContent = right ? "" : say("give-wrong", { possible: possible[id] });
        give(n, id, right && typed ? mark : null);
      },
    });
    field.value = given[n][id] ?? "";
    return [labelled(field, say("give", { possible: possible[id] }), about), wrong];
  };
  const textField = (n, column, title, about) => {
    const again = make("div", { class: "again" });
    const offer = () => {
      const typed = field.value.trim(), texts = new Set(given.map((each) => each[column]));
      const others = [...texts].filter((text) => text?.includes(typed) && text !== typed);
      again.replaceChildren(...others.slice(0, 6).map((text) => make("button", {
        // The field keeps the focus: without it, the buttons would go before the click.
        type: "button", onmousedown: (event) => event.preventDefault(),
        onclick: () => {
          field.value = text;
          field.dispatchEvent(new Event("input", { bubbles: true }));
          goOn(field);
        },
      }, hidden(`${say("again")}: `), text)));
    };
    const field = make("textarea", {
      id: `give-${n}-${column}`, rows: 1, onfocus: offer,
      oninput: () => {
        give(n, column, field.value.trim());
        offer();
      },
      onkeydown: onEnter((event) => event.ctrlKey || event.metaKey),
    });
    field.value = given[n][column] ?? "";
    return make("div", { class: "comment" }, labelled(field, title, about), again);
  };
  const markFields = (n, { id, text, title }, textTitle) => make("div", { class: "give" },
    rows[n].conflicts[id] && !(id in given[n]) && make("p", { class: "warning" }, rows[n].conflicts[id]),
    pointsField(n, id, title), textField(n, text, textTitle, title));
  let wantsPictures = false;
  const picture = (diagram) => {
    if (!diagram.picture) return make("p", { class: "unproven" }, say(diagram.drawn ? "too-large" : "not-drawn"));
    // A picture can be made to be slow: none is drawn before one has been asked for.
    const folded = make("details", { class: "picture", open: wantsPictures, ontoggle: () => {
      wantsPictures = folded.open;
      if (!folded.open || folded.querySelector("img")) return;
      folded.append(image("drawn", diagram.picture, say("picture")));
      for (const each of view.querySelectorAll(".picture")) each.open = true;
    } }, make("summary", {}, say("picture")));
    return folded;
  };
  const answerPart = (data, n, item, heading) => {
    const { status, text, ...more } = data.items[item.id], isDiagram = "drawn" in more;
    return make("section", { class: "answer" }, heading, isDiagram && picture(more),
      status !== "answered" ? make("p", { class: "unproven" }, say(status === "missing" ? "no-cell" : isDiagram ? "no-code" : "no-answer"))
        : isDiagram ? make("details", {}, make("summary", {}, say("code")), make("pre", {
          dir: "auto", tabindex: "0", role: "region", "aria-label": `${say("code")} ${label(n)}` }, text))
          : make("div", { class: "text", dir: "auto" }, text),
      markFields(n, item, say("comment")));
  };
  const besideRubric = ({ rubric }, ...inside) => make("div", { class: "rubric-beside" }, make("div", {}, inside),
    rubric && make("aside", { class: "rubric" },
      make("strong", {}, say("rubric")), make("div", { class: "text", dir: "auto" }, rubric)));

  const view = make("div", { id: "view", hidden: true });
  const showPart = (kind, numbers, at, titleOf, ...inside) => {
    const link = (rel, n) => n !== undefined && make("a", { href: `#${kind}-${n}`, rel }, say(rel, { what: titleOf(n) }));
    const links = (given) => make("nav", given, make("a", { href: "#class" }, say("back")),
      link("prev", numbers[at - 1]), at >= 0 && link("next", numbers[at + 1]));
    view.replaceChildren(links({ "aria-label": say("place") }), ...inside.flat().filter(Boolean), links({ class: "below" }));
  };
  const heading = (...inside) => make("h2", { tabindex: "-1" }, inside);
  const pairs = (items) => make("dl", {}, items.filter(([, value]) => value)
    .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, theirs(value)))));
  const moment = (text) => text && new Date(text).toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" });
  const openLearner = (n) => {
    const data = read(`learner-${n}`), each = rows[n];
    showPart("learner", shown, shown.indexOf(n), label, heading(theirs(label(n))),
      pairs([
        [say("group"), each.group],
        [say("points"), say("points-of", { points: sum(n, checks), possible: whole(checks) })],
        [say("marks"), some(n) && say("points-of", { points: sum(n, marked), possible: whole(marked) })],
        [say("at"), moment(data.handed_in_at)], [say("until"), each.until], [say("late"), each.late],
      ]),
      !each.handed_in && make("p", {}, say("absent")),
      make("p", { class: "numbers quiet" }, say("blind-how")),
      make("div", { class: "names" },
        pairs([[say("source"), data.source], [say("named"), data.named.join(", ")]]),
        data.findings.length > 0 && [make("h3", { class: "part" }, say("found")),
          make("ul", { class: "findings" }, data.findings.map((finding) => findingPart(finding, n)))]),
      make("h3", { class: "part" }, say("answers")),
      marked.map((item) => besideRubric(item, answerPart(data, n, item, make("h4", {}, item.title)))),
      make("div", { class: "give" }, textField(n, "comment", say("comment-whole"), "")),
      make("div", { class: "names" },
        make("h3", { class: "part" }, say("checks")),
        checks.map((check) => checkPart(check, data, n)),
        each.handed_in && architecturePart(data)));
  };

  const onlyOpen = make("input", { type: "checkbox", id: "only-open", onchange: () => refresh() });
  const openQuestion = (i) => {
    const listed = shown.filter((n) => rows[n].handed_in && !(onlyOpen.checked && marked[i].id in given[n]));
    showPart("question", [...marked.keys()], i, (at) => marked[at].title, heading(marked[i].title),
      make("p", { class: "controls" }, make("label", {}, onlyOpen, " ", say("only-open"))),
      make("p", { class: "quiet" }, say("shown", { shown: listed.length, learners: rows.length }), " ", say("question-how")),
      besideRubric(marked[i], listed.map((n) => answerPart(read(`learner-${n}`), n, marked[i], make("h3", {},
        make("a", { href: `#learner-${n}` }, theirs(label(n))), rows[n].late && make("small", {}, ` ${say("late")}: ${rows[n].late}`))))));
  };

  let last = "";
  const route = () => {
    const [, kind, number] = /^#(learner|question)-(\d+)$/.exec(location.hash) ?? [];
    const isPart = Number(number) < (kind === "learner" ? rows : marked).length;
    classView.hidden = isPart;
    view.hidden = !isPart;
    view.replaceChildren();
    if (!isPart) tellClass();
    else (kind === "learner" ? openLearner : openQuestion)(Number(number));
    // Whoever comes back goes on from the link that was followed.
    const link = last && last !== location.hash
      && document.querySelector(`main > :not([hidden]) :is(th, h3) a[href="${last}"]`);
    scrollTo(0, 0);
    link?.scrollIntoView?.({ block: "center" });
    (link || view.querySelector("h2"))?.focus({ preventScroll: true });
    last = isPart ? location.hash : "";
  };
  const refresh = () => {
    const held = document.activeElement, at = scrollY;
    arrange();
    route();
    if (held.isConnected) held.focus({ preventScroll: true });
    scrollTo(0, at);
  };

  const chosen = make("input", {
    type: "file", accept: ".csv,text/csv", hidden: true, "aria-label": say("open"),
    onchange: () => {
      const [file] = chosen.files;
      if (file) openMarks(file);
      chosen.value = "";
    },
  });
  document.body.append(
    make("header", {}, make("h1", {}, say("title")),
      make("p", { class: "tools" },
        make("button", { type: "button", onclick: save }, say("save")),
        make("button", { type: "button", onclick: () => chosen.click() }, say("open")), chosen,
        make("label", { for: "blind" }, blind, " ", say("blind")), changes), told),
    make("main", {}, classView, view));
  arrange();
  addEventListener("hashchange", route);
  route();
})();
