"use strict";
(() => {
  // What learners wrote reaches the page as text only: `make` knows tags and attributes of this file.
  const about = JSON.parse(document.getElementById("about").textContent);
  const { words, signs, checks, notebooks } = about;
  const SECONDS = 3, LONG = 10 * 60, AWAY = 3 * 3600;
  let learners = [], shown = "", ahead = 0;

  const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  const make = (tag, given, ...inside) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(given ?? {})) if (value) element.setAttribute(name, value);
    element.append(...inside.flat(9).filter((part) => part != null && part !== false));
    return element;
  };
  const theirs = (text) => make("bdi", { dir: "auto" }, text);
  const heading = (text) => make("h2", null, text);

  // Times are by the server's clock; a file may be newer.
  const measure = (since) => Math.max(0, (Date.now() + ahead) / 1000 - since);
  const tell = (since) => {
    const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(measure(since) / unit));
    if (days > 1) return say("days", { days });
    return hours ? say("hours", { hours, minutes: minutes % 60 }) : minutes ? say("minutes", { minutes }) : say("now");
  };
  const age = (since) => make("time", { "data-since": since }, tell(since));

  const isHidden = () => document.body.classList.contains("hide");
  const isStuck = (n) => learners[n].error && measure(learners[n].seen) < AWAY;
  const who = (n) => (isHidden() ? say("number", { number: n + 1 }) : theirs(learners[n].name));
  const label = (name) => (name in notebooks ? `${name.slice(0, 2)} ${notebooks[name]}` : say("nowhere"));
  const count = (test) => learners.filter(test).length;
  const bar = (value, name) => make("progress", { max: learners.length || 1, value: String(value), "aria-label": name });

  const tile = (name, i) => make("li", null, name,
    make("b", null, passed(i), make("small", null, ` / ${learners.length}`)), bar(passed(i), name));
  const passed = (i) => count((each) => each.checks[i] === "passed");
  const place = (name) => {
    const here = count((each) => each.notebook === name);
    return make("li", null, make("span", null, label(name)), bar(here, label(name)), make("b", null, here));
  };
  const card = (n, _, stuck) => {
    const { error, since, notebook } = learners[n];
    const also = stuck.filter((other) => learners[other].error === error).length - 1;
    return make("li", { class: measure(since) > LONG && "long" },
      make("div", { class: "head" }, make("span", null, who(n)), age(since)), make("p", null, error),
      make("p", { class: "quiet" }, label(notebook), also > 0 && ` · ${say("also", { count: also })}`));
  };
  const sign = (status) => make("td", { class: `sign ${status}` },
    make("span", { "aria-hidden": "true" }, signs[status]), make("span", { class: "spoken" }, say(status)));
  const row = (n) => {
    const { notebook, checks: statuses, error, since, seen, notes } = learners[n];
    return make("tr", null, make("th", { scope: "row" }, who(n)), make("td", { class: "notebook" }, label(notebook)),
      statuses.map(sign), make("td", null, error && [error, " ", age(since)]), make("td", null, seen > 0 && age(seen)),
      make("td", null, notes.map((note) => make("div", null, isHidden() ? "⚠" : theirs(note)))));
  };
  const table = (order) => make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": say("everyone") },
    make("table", null, make("thead", null, make("tr", null,
      [say("name"), say("notebook"), ...checks, say("error"), say("seen"), say("notes")].map(
        (head) => make("th", { scope: "col" }, head)))),
    make("tbody", null, order.map(row))));

  const show = () => {
    const order = learners.map((_, n) => n);
    const stuck = order.filter(isStuck).sort((a, b) => learners[a].since - learners[b].since);
    people.textContent = learners.length ? say("people", { count: learners.length }) : say("empty");
    parts.done.replaceChildren(heading(say("done")), make("ul", { class: "tiles" }, checks.map(tile)));
    parts.stuck.replaceChildren(heading(stuck.length ? say("stuck", { count: stuck.length }) : say("none-stuck")),
      make("ol", null, stuck.map(card)));
    parts.where.replaceChildren(heading(say("where")), make("ul", null, ["", ...Object.keys(notebooks)].map(place)));
    parts.everyone.replaceChildren(heading(say("everyone")), table([...stuck, ...order.filter((n) => !stuck.includes(n))]));
    const counts = checks.map((name, i) => `${name} ${passed(i)} / ${learners.length}`);
    const source = `picture.svg?${encodeURIComponent(counts)}`;
    if (picture.getAttribute("src") !== source) picture.src = source;
    picture.alt = `${say("picture")}: ${counts.join(", ")}`;
  };
  const toggle = (name) => {
    const button = make("button", { type: "button", "aria-pressed": "false" }, say(name));
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", document.body.classList.toggle(name));
      show();
    });
    return button;
  };

  const picture = make("img");
  const parts = Object.fromEntries(["done", "stuck", "where", "everyone"].map((name) => [name, make("section", { class: name })]));
  const people = make("span"), time = make("span", { class: "quiet" }), status = make("span", { role: "status", class: "failed" });
  document.body.append(
    make("header", null, make("h1", null, say("title")), people,
      make("div", { class: "tools" }, status, time, toggle("hide"), toggle("large"))),
    make("main", null, Object.values(parts), make("section", { class: "picture" }, picture)));

  const look = async () => {
    try {
      const reply = await fetch("learners.json", { cache: "no-cache", headers: { "X-XSRFToken": about.xsrf } });
      if (!reply.ok || reply.redirected) throw reply;
      const text = await reply.text();
      ahead = Date.parse(reply.headers.get("Date")) - Date.now();
      if (text !== shown) {
        learners = JSON.parse(text);
        shown = text;
        show();
      }
      for (const each of document.querySelectorAll("[data-since]")) each.textContent = tell(each.dataset.since);
      time.textContent = say("updated", { time: new Date(Date.now() + ahead).toLocaleTimeString(document.documentElement.lang) });
      status.textContent = "";
    } catch {
      status.textContent = say("lost");
    }
    setTimeout(look, SECONDS * 1000);
  };
  look();
})();
