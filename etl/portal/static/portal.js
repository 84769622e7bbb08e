// The little that pages do in the browser. Everything is there without it: charts have their tables, forms their buttons.
(() => {
  "use strict";
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const trend = (given, size) => {
    const point = (value, index) => ({
      value,
      symbol: given.provisional[index] ? "emptyCircle" : "circle",
      symbolSize: given.provisional[index] ? size / 2 + 1 : size / 2 - 1,
    });
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: size },
      color: [style("--series-1"), style("--series-2")],
      grid: { left: 8, right: size * 3, top: size * 2.6, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 28, textStyle: { fontSize: size, color: style("--ink") } },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        confine: true,
        textStyle: { fontSize: size },
        formatter: (shown) => {
          const head = shown[0].name + (given.provisional[shown[0].dataIndex] ? ` ${given.mark}` : "");
          const lines = shown.map((each) => `${each.seriesName}  ${each.value == null ? "—" : each.value.toLocaleString("en")} ${given.unit}`);
          return [head, ...lines].join("\n");
        },
      },
      xAxis: { type: "category", data: given.months, boundaryGap: false, axisLabel: { fontSize: size, color: style("--ink-soft"), hideOverlap: true } },
      yAxis: { type: "value", axisLabel: { fontSize: size, color: style("--ink-soft") }, splitLine: { lineStyle: { color: "#e3e7ec" } } },
      series: [
        { name: given.names[0], type: "line", data: given.values.map(point), lineStyle: { width: 2.5 }, z: 3 },
        { name: given.names[1], type: "line", data: given.last_year, symbol: "triangle", showSymbol: false, lineStyle: { width: 2, type: "dashed" } },
      ],
    };
  };
  const KINDS = { trend };

  const draw = (root) => {
    if (!window.echarts) return;
    for (const figure of root.querySelectorAll("figure[data-chart]")) {
      const area = figure.querySelector(".chart-area");
      if (area.dataset.drawn) continue;
      area.dataset.drawn = "yes";
      const given = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      const size = parseFloat(getComputedStyle(figure).fontSize) * 0.85;
      const chart = window.echarts.init(area, null, { renderer: "svg" });
      chart.setOption(KINDS[figure.dataset.chart](given, size));
      new ResizeObserver(() => chart.isDisposed() || chart.resize()).observe(area);
    }
  };

  // The names of the pages that were written as files: [name, names above it, address].
  const find = (form) => {
    const input = form.querySelector("input");
    const found = form.querySelector(".search-found");
    const root = form.dataset.root;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const first = found.querySelector("a");
      if (first) window.location.href = first.href;
    });
    input.addEventListener("input", () => {
      const words = input.value.trim().split(/\s+/).filter(Boolean);
      found.replaceChildren();
      if (!words.length) return;
      const last = words.pop();
      const fits = ([name, above, address]) =>
        (name.includes(last) || address.includes(`/${last}`)) && words.every((word) => above.includes(word));
      const list = document.createElement("ul");
      list.className = "found";
      for (const [name, above, address] of window.portalPlaces.filter(fits).slice(0, 8)) {
        const link = document.createElement("a");
        link.href = root + address;
        const rest = document.createElement("span");
        rest.className = "hint";
        rest.textContent = above;
        link.append(name, " ", rest);
        const item = document.createElement("li");
        item.append(link);
        list.append(item);
      }
      if (!list.childElementCount) {
        const none = document.createElement("p");
        none.className = "hint";
        none.textContent = form.dataset.none;
        found.append(none);
      } else found.append(list);
    });
  };

  const begin = () => {
    draw(document);
    if (window.portalPlaces) document.querySelectorAll("form[data-places]").forEach(find);
    document.addEventListener("change", (event) => {
      if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") document.querySelectorAll(".search-found").forEach((each) => each.replaceChildren());
    });
    document.body.addEventListener("htmx:afterSettle", () => draw(document));
    // Paper shows the tables behind charts too.
    let opened = [];
    window.addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      opened.forEach((each) => (each.open = true));
    });
    window.addEventListener("afterprint", () => opened.forEach((each) => (each.open = false)));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
