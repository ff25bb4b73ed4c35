"use strict";
// What a page of nakctl does in a browser: it draws figures that lie in it as documents of Bokeh, shows of long
// curves what the picture has room for, and lets spectra be gone through. It asks the network for nothing.

const nakctl = (() => {
  const MOST = 4000; // points of a curve that are drawn at a time
  const COLOURED = ["line_color", "fill_color", "title_text_color", "major_label_text_color"];
  const documents = new Map(); // by the name of a figure

  function floats(text, Kind) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Kind(bytes.buffer);
  }

  // --- figures ---------------------------------------------------------------------------------------------

  async function draw(told) {
    await Bokeh.embed.embed_items({ [told.name]: told.document }, [{ docid: told.name, ...told.places }]);
    const known = Bokeh.documents[Bokeh.documents.length - 1];
    documents.set(told.name, known);
    for (const [name, levels] of Object.entries(told.curves)) follow(known, name, levels);
    for (const root of known.roots()) legend(root);
  }

  function plot_of(known, name) {
    return known.roots().find((root) => root.name === name.replace(/-\d+$/, ""));
  }

  // A long curve: of the levels there are, the finest of which no more is seen than the picture has use for.
  function follow(known, name, packed) {
    const levels = packed.map((each) => ({ x: floats(each.x, Float64Array), y: floats(each.y, Float32Array) }));
    const source = known.get_model_by_name(name);
    const range = plot_of(known, name).x_range;
    let shown = "";
    let waiting = false;
    function choose() {
      waiting = false;
      const whole = levels[levels.length - 1];
      const from = Number.isFinite(range.start) ? Math.min(range.start, range.end) : -Infinity;
      const to = Number.isFinite(range.end) ? Math.max(range.start, range.end) : Infinity;
      const all = from <= whole.x[0] && to >= whole.x[whole.x.length - 1];
      for (const [number, level] of levels.entries()) {
        const first = all ? 0 : Math.max(0, place(level.x, from) - 1);
        const end = all ? level.x.length : Math.min(level.x.length, place(level.x, to) + 1);
        if (end - first > MOST && number < levels.length - 1) continue;
        const key = `${number} ${first} ${end}`;
        if (key !== shown) source.data = { x: level.x.subarray(first, end), y: level.y.subarray(first, end) };
        shown = key;
        return;
      }
    }
    const soon = () => {
      if (!waiting) requestAnimationFrame(choose);
      waiting = true;
    };
    range.properties.start.change.connect(soon);
    range.properties.end.change.connect(soon);
  }

  // Number of the first that is not below the value; the values rise.
  function place(values, value) {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function legend(plot) {
    for (const button of document.querySelectorAll(`.legend[data-of="${plot.name}"] button`)) {
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(on));
        for (const each of plot.renderers) {
          if (each.tags.includes(Number(button.dataset.entry))) each.visible = on;
        }
      });
    }
  }

  // --- spectra ---------------------------------------------------------------------------------------------

  function through_spectra(box) {
    const told = JSON.parse(box.querySelector("script").textContent);
    const x = floats(told.x, Float32Array);
    const y = floats(told.y, Float32Array);
    const source = documents.get(told.figure).get_model_by_name(told.source);
    const slider = box.querySelector("input");
    const words = box.querySelector("output");
    function show() {
      const number = Number(slider.value);
      const [first, end] = [told.first[number], told.first[number + 1]];
      source.data = { x: x.subarray(first, end), y: y.subarray(first, end) };
      words.textContent = told.words[number];
    }
    slider.addEventListener("input", show);
    show();
  }

  // --- light, dark, paper ----------------------------------------------------------------------------------

  // Colours stand in the style sheet. Of grounds and letters Bokeh reads them itself when it paints; those of
  // curves are put in here, by the name that stands among the tags of each.
  function colour() {
    const style = getComputedStyle(document.documentElement);
    for (const root of plots()) {
      for (const each of [...root.renderers, ...root.center, ...root.right]) {
        const name = each.tags.find((tag) => typeof tag === "string" && tag.startsWith("--"));
        const model = each.glyph ?? each;
        const value = name && style.getPropertyValue(name).trim();
        for (const what of name ? COLOURED : []) {
          if ((model.attributes[what] ?? null) !== null) model[what] = each.glyph ? { value } : value;
        }
      }
      view_of(root)?.request_paint();
    }
  }

  function plots() {
    return [...documents.values()].flatMap((known) => known.roots());
  }

  function view_of(root) {
    return Bokeh.index.get_by_id(root.id);
  }

  // On paper: light, as wide as the sheet, and with the protocol.
  function to_paper() {
    document.documentElement.classList.add("paper");
    colour();
    for (const root of plots()) {
      const picture = document.createElement("img");
      picture.className = "on-paper";
      picture.alt = "";
      picture.src = view_of(root).export("png", true).canvas.toDataURL();
      document.getElementById(root.name).append(picture);
    }
    for (const each of document.querySelectorAll("#asked details:not([open])")) {
      each.open = true;
      each.dataset.closed = "";
    }
  }

  function from_paper() {
    document.documentElement.classList.remove("paper");
    document.querySelectorAll(".on-paper").forEach((each) => each.remove());
    for (const each of document.querySelectorAll("details[data-closed]")) {
      each.open = false;
      delete each.dataset.closed;
    }
    colour();
  }

  async function begin() {
    for (const script of document.querySelectorAll("script.figure")) await draw(JSON.parse(script.textContent));
    document.querySelectorAll(".spectra").forEach(through_spectra);
    colour();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
    addEventListener("beforeprint", to_paper);
    addEventListener("afterprint", from_paper);
    document.documentElement.classList.add("drawn");
  }

  const ready = new Promise((done) => document.addEventListener("DOMContentLoaded", () => done(begin())));
  return { ready, documents };
})();
