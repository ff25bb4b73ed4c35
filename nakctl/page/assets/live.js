"use strict";
// Keeps a page of runs that go on up to date: it asks its own server once a second, and nobody else. All that it
// is told are texts and numbers; texts are shown as they are.

(() => {
  const EVERY_ms = 1000;
  const AGAIN_ms = 2000; // while nobody answers
  const OVER_ms = 10000; // of a run that is over
  const PATIENCE_ms = 10000;
  const about = JSON.parse(document.getElementById("page").textContent);
  const at = (id) => document.getElementById(id);
  let seen = "";
  let unit = "";

  function element(name, class_, ...content) {
    const made = document.createElement(name);
    if (class_) made.className = class_;
    made.append(...content.filter((each) => each !== null && each !== ""));
    return made;
  }

  function link(to, text) {
    const made = element("a", "", text);
    made.href = to;
    return made;
  }

  // Only what has changed is put anew: what is being read, selected or clicked at stays.
  function put(place, ...content) {
    children(place, element("div", "", ...content));
  }

  function children(place, made) {
    const [old, fresh] = [[...place.childNodes], [...made.childNodes]];
    fresh.forEach((each, number) => (number < old.length ? become(old[number], each) : place.append(each)));
    old.slice(fresh.length).forEach((each) => each.remove());
  }

  // id: of which run; what is of one does not become what is of another.
  function become(node, made) {
    if (node.nodeName !== made.nodeName || node.id !== made.id) return node.replaceWith(made);
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.data !== made.data) node.data = made.data;
      return undefined;
    }
    for (const { name } of [...node.attributes]) if (!made.hasAttribute(name)) node.removeAttribute(name);
    for (const { name, value } of made.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    return children(node, made);
  }

  // --- a run in words --------------------------------------------------------------------------------------

  function state(run) {
    const word = element("span", `badge ${run.level}`, run.word);
    return [
      element("p", "", word, " ", run.where),
      run.Ewe ? element("p", "reading", `Ewe ${run.Ewe}`, element("br"), `I ${run.I}`, run.j ? ` (${run.j})` : "") : null,
      run.Q ? element("p", "note", `charge ${run.Q}`) : null,
      nearest(run.nearest),
      run.bench && run.bench.length ? element("p", "", run.bench.join("   ")) : null,
      run.text ? element("p", run.level, run.text) : null,
      run.alarm ? element("p", "alarm", run.alarm) : null,
      element("p", "note", [run.since && run.since !== "-" ? `last row ${run.since}` : "", run.ends ? `ends ${run.ends}` : ""].filter(Boolean).join("; ")),
    ];
  }

  function nearest(found) {
    if (!found) return null;
    const bar = element("meter", "");
    bar.max = 1;
    bar.value = found.part;
    if (found.level) [bar.high, bar.optimum] = [0.5, 0];
    return element("div", `nearest ${found.level}`, bar, element("p", "note", `${found.text}${found.left ? `, ${found.left}` : ""}`));
  }

  // --- the wall --------------------------------------------------------------------------------------------

  function card(run) {
    const head = element("h2", "", link(`${about.root}/run/${run.id}`, element("bdi", "", run.title)));
    const mark = run.simulated ? element("span", "badge warning", "SIMULATED") : null;
    const whole = element("article", "card", head, element("p", "lead", element("bdi", "", run.about)), mark, ...state(run).filter(Boolean));
    whole.id = `run-${run.id}`;
    return whole;
  }

  function wall(told) {
    put(at("runs"), ...told.runs.map(card));
    at("nothing").hidden = told.runs.length > 0;
    list("ended", told.ended, (run) => [link(`${about.root}/report/${run.id}`, element("bdi", "", run.title)), " ", element("span", "note", element("bdi", "", `${run.about} ${run.file}`))]);
    list("files", told.files, (file) => [link(`${about.root}/report/${file.id}`, element("bdi", "", file.file)), " ", element("span", "note", file.changed)]);
    const worst = told.runs.filter((run) => run.level === "alarm").length;
    document.title = worst ? `(${worst}) Runs` : "Runs";
    return EVERY_ms;
  }

  function list(id, told, entry) {
    at(id).hidden = told.length === 0;
    put(at(id).querySelector("ul"), ...told.map((each) => entry_of(each.id, ...entry(each))));
  }

  function entry_of(id, ...content) {
    const made = element("li", "", ...content);
    made.id = `of-${id}`;
    return made;
  }

  // --- a run by itself -------------------------------------------------------------------------------------

  function run(told) {
    const is_over = told.status !== ""; // else its program may be gone, and the cell is as it was left
    const last = told.over.filter((line) => is_over || !line.includes(told.text));
    at("title").textContent = told.title;
    at("simulated").hidden = !told.simulated;
    at("about").textContent = `${told.about}; ${told.file}`;
    document.title = is_over ? `${told.status || told.word}: ${told.title}` : told.title;
    const alone = told.alone ? element("p", "note", `without the PC the instrument holds ${told.alone}`) : null;
    at("state").hidden = is_over;
    put(at("state"), ...state(told), ...(told.progress || []).map((line) => element("p", "note", line)), alone);
    at("over").hidden = last.length === 0;
    const report = told.sealed ? element("p", "", link(`${about.root}/report/${about.id}`, "its report")) : null;
    put(at("over"), ...last.map((line) => element("p", "", line)), report);
    if (told.said.length === 0) put(at("said"), element("p", "note", "nothing yet"));
    else put(at("said"), ...told.said.slice().reverse().map(([level, text]) => element("li", level, text)));
    control(told, is_over);
    curves(told);
    return is_over ? OVER_ms : EVERY_ms;
  }

  function source(figure, name) {
    return nakctl.documents.get(figure).get_model_by_name(name);
  }

  function curves(told) {
    if (told.Ewe_curve[0].length > 0) source("curves", "curves-0-0").data = { x: told.Ewe_curve[0], y: told.Ewe_curve[1] };
    if (told.I_curve[0].length > 0) source("curves", "curves-1-0").data = { x: told.I_curve[0], y: told.I_curve[1] };
    if (told.unit !== unit) {
      unit = told.unit;
      for (const root of nakctl.documents.get("curves").roots()) root.below[0].axis_label.text = `time / ${unit}`;
    }
    at("nyquist").hidden = told.spectra.length === 0;
    const newest = told.spectra.slice().reverse();
    for (let place = 0; newest.length > 0 && place < about.spectra; place++) {
      const [when, x, y] = newest[place] ?? ["", [], []];
      source("spectra", `spectra-0-${place}`).data = { x, y };
      const entry = document.querySelector(`.legend[data-of="spectra-0"] button[data-entry="${place}"]`);
      entry.hidden = x.length === 0;
      entry.title = when ? `seen at ${when}` : "";
    }
  }

  function control(told, is_over) {
    if (!at("stop")) return;
    at("stop").hidden = is_over;
    at("which").textContent = `${told.title}, ${told.about}`;
    at("asked").textContent = told.asked ? told.asked.text : "";
    at("asked").className = told.asked ? told.asked.level : "";
  }

  function listen() {
    if (!at("stop")) return;
    at("stop").addEventListener("click", () => at("ask").showModal());
    at("leave-it").addEventListener("click", () => at("ask").close());
    at("stop-it").addEventListener("click", async () => {
      at("ask").close();
      const asked = { method: "POST", headers: { "X-Nakctl": "1" }, body: at("after").value };
      try {
        const answer = await fetch(`${about.root}/run/${about.id}/stop`, asked);
        at("asked").textContent = answer.ok ? (await answer.json()).text : "it was not asked: this server does not allow it";
      } catch {
        at("asked").textContent = "it was not asked: nobody answers; nakctl stop in a terminal does it";
      }
    });
  }

  // --- once a second ---------------------------------------------------------------------------------------

  async function look() {
    if (document.hidden) return EVERY_ms;
    try {
      const answer = await fetch(about.from, { signal: AbortSignal.timeout(PATIENCE_ms) });
      if (answer.status === 404) return lost("this run is not known any more");
      if (answer.status === 403) return lost("nakctl serve was started with another token: open the address that it printed");
      if (!answer.ok) return lost("nakctl serve cannot say how it is");
      const told = await answer.json();
      const every = about.kind === "wall" ? wall(told) : run(told);
      seen = new Date().toLocaleTimeString();
      at("lost").hidden = true;
      document.body.classList.remove("old");
      return every;
    } catch {
      return lost("the connection to nakctl serve is lost, which says nothing about the runs");
    }
  }

  function lost(why) {
    at("lost").textContent = `${why}.${seen ? ` What is shown is of ${seen}.` : ""} It is tried again.`;
    at("lost").hidden = false;
    document.body.classList.add("old");
    return AGAIN_ms;
  }

  async function go_on() {
    setTimeout(go_on, await look());
  }

  listen();
  (typeof nakctl === "undefined" ? Promise.resolve() : nakctl.ready).then(go_on);
  document.addEventListener("visibilitychange", () => document.hidden || look());
})();
