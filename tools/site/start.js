// The page that lists the notebooks: what is done, where to go on, and the learner's work as a zip.
// JupyterLite keeps files in IndexedDB; what is done is noted by handson/notebook/tab.py.
import { strFromU8, strToU8, unzipSync, zipSync } from "./fflate.js";

const HOME = "handson-home";
const $ = (id) => document.getElementById(id);
const { notebooks, texts } = await (await fetch("page.json")).json();
const settings = (() => { try { return localStorage; } catch { return { getItem() {}, setItem() {} }; } })();
let lang = settings.getItem("handson-language") ?? (navigator.language.startsWith("ja") ? "ja" : "en");
const say = (key, value = "") => texts[key][lang].replace("{0}", value);

// JupyterLite's own store, an IndexedDB database for each edition's address; JupyterLite makes it.
async function ask(use) {
  const name = `JupyterLite Storage - ${new URL(`${lang}/`, location).pathname}`;
  if (!(await indexedDB.databases()).some((database) => database.name === name)) return null;
  return new Promise((done, failed) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const close = (value) => { database.close(); done(value); };
      if (!database.objectStoreNames.contains("files")) return close(null);
      const transaction = database.transaction("files", "readwrite");
      const asked = use(transaction.objectStore("files"));
      transaction.oncomplete = () => close(asked?.result ?? null);
      transaction.onerror = () => failed(transaction.error);
    };
  });
}
const listFiles = async () => ((await ask((store) => store.getAll())) ?? []).filter((file) => file.type !== "directory");

function readBytes({ content, format }) {
  if (format === "base64") return Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  return strToU8(typeof content === "string" ? content : JSON.stringify(content, null, 1));
}

async function whyUnable() {
  if (!("Suspending" in WebAssembly)) return say("wasm");
  if (!("serviceWorker" in navigator)) return say("worker");
  return ask(() => null).then(() => "", () => say("storage"));
}

async function show() {
  document.documentElement.lang = lang;
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = say(element.dataset.text);
  $("language").textContent = say("other");
  const reason = await whyUnable();
  $("unable").hidden = !reason;
  $("able").hidden = Boolean(reason);
  if (reason) return $("unable").replaceChildren(...[say("unable", reason), say("ways")].map(paragraph));
  const files = await listFiles();
  showNotebooks(files);
  $("hand-in").hidden = !files.some((file) => file.path.endsWith(".zip"));
  await showStorage();
}

function paragraph(text) {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}

function showNotebooks(files) {
  const noted = files.find((file) => file.path === `${HOME}/overview.json`);
  const done = noted ? JSON.parse(strFromU8(readBytes(noted))) : {};
  const saved = files.filter((file) => file.path.endsWith(".ipynb")).sort((a, b) => (a.last_modified < b.last_modified ? 1 : -1));
  $("list").replaceChildren(...notebooks.map(({ name, ...label }) => {
    const [count, whole] = done[name] ?? [0, 0];
    const begun = saved.some((file) => file.name === `${name}.ipynb`);
    const state = whole && count === whole ? "done" : begun ? "begun" : "new";
    const item = document.createElement("li");
    item.className = state;
    item.innerHTML = `<a href="${address(name)}"><span class="mark">${{ done: "✔", begun: "◆", new: "○" }[state]}</span>
      <span class="name">${name.slice(0, 2)} ${label[lang]}</span><span class="count">${whole > 1 ? `${count}/${whole}` : ""}</span></a>`;
    return item;
  }));
  const last = saved[0]?.name.replace(".ipynb", "") ?? notebooks[0].name;
  $("continue").href = address(last);
  $("continue").textContent = saved.length ? say("go", last) : say("begin");
}
const address = (name) => `${lang}/notebooks/index.html?path=${lang}/${name}.ipynb`;

async function showStorage() {
  const persisted = await navigator.storage.persist().catch(() => false);
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  const left = Math.floor((quota - usage) / 1e6);
  $("storage").hidden = persisted && left > 50;
  $("storage").textContent = left > 50 ? say("volatile") : say("full", left);
}

function save(name, bytes) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function exportWork() {
  const files = await listFiles();
  if (!files.length) return ($("said").textContent = say("empty"));
  const entries = files.map((file) => [file.path, readBytes(file)]);
  const kinds = Object.fromEntries((await ask((store) => store.getAll())).map(({ content, ...about }) => [about.path, about]));
  save(`handson-${lang}.zip`, zipSync({ ...Object.fromEntries(entries), "files.json": strToU8(JSON.stringify(kinds)) }));
}

async function importWork(file) {
  let entries, kinds;
  try {
    entries = unzipSync(new Uint8Array(await file.arrayBuffer()));
    kinds = JSON.parse(strFromU8(entries["files.json"]));
  } catch {
    return ($("said").textContent = say("bad"));
  }
  if (!confirm(say("replace"))) return;
  await ask((store) => {
    for (const [path, about] of Object.entries(kinds)) {
      const bytes = entries[path] ?? new Uint8Array();
      const text = about.format === "base64" ? btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")) : strFromU8(bytes);
      store.put({ ...about, content: about.type === "directory" ? null : about.format === "json" ? JSON.parse(text) : text }, path);
    }
  });
  await show();
  $("said").textContent = say("imported", Object.keys(kinds).length);
}

$("language").onclick = () => { lang = lang === "ja" ? "en" : "ja"; settings.setItem("handson-language", lang); show(); };
$("export").onclick = exportWork;
$("import").onclick = () => $("file").click();
$("file").onchange = () => importWork($("file").files[0]).finally(() => ($("file").value = ""));
$("hand-in").onclick = async () => {
  for (const file of await listFiles()) if (file.path.endsWith(".zip")) save(file.name, readBytes(file));
};
$("delete").onclick = async () => {
  if (!confirm(say("sure"))) return;
  await ask((store) => store.clear());
  await show();
  $("said").textContent = say("deleted");
};
addEventListener("pageshow", (event) => event.persisted && show());  // back from a notebook
await show();
