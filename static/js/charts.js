// Draws the charts of the dashboard from the data that the page carries; each has its table beside it, which says the same.
// Colours are those of the theme and follow it when it changes.

const charts = new Map();

const colours = () => {
  const css = getComputedStyle(document.documentElement);
  const read = (name) => css.getPropertyValue(name).trim();
  return {
    primary: read("--tblr-primary"),
    warm: read("--kring-warm"),
    text: read("--tblr-secondary"),
    line: read("--tblr-border-color"),
    surface: read("--tblr-bg-surface"),
    body: read("--tblr-body-color"),
  };
};

// A colour between two others, for the steps of the funnel.
const mix = (from, to, part) => {
  const parse = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const [a, b] = [parse(from), parse(to)];
  return `rgb(${a.map((value, index) => Math.round(value + (b[index] - value) * part)).join(",")})`;
};

const tooltip = (c) => ({
  renderMode: "richText",
  confine: true,
  backgroundColor: c.surface,
  borderColor: c.line,
  textStyle: { color: c.body },
});

const forecast = (data, c, width) => {
  const short = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: data.currency, notation: "compact", maximumFractionDigits: 1 });
  const money = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: data.currency, maximumFractionDigits: 0 });
  const bar = (name, values, extra = {}) => ({ name, type: "bar", data: values, barMaxWidth: 28, barGap: "10%", ...extra });
  return {
    animation: false,
    color: [c.primary, c.warm, c.text],
    aria: { enabled: false },
    grid: { left: 8, right: 8, top: width < 480 ? 64 : 40, bottom: 8, containLabel: true },
    legend: { top: 0, textStyle: { color: c.text } },
    tooltip: { ...tooltip(c), trigger: "axis", valueFormatter: (value) => (value == null ? "–" : money.format(value)) },
    xAxis: { type: "category", data: data.months, axisLabel: { color: c.text }, axisLine: { lineStyle: { color: c.line } }, axisTick: { show: false } },
    yAxis: { type: "value", axisLabel: { color: c.text, formatter: (value) => short.format(value) }, splitLine: { lineStyle: { color: c.line } } },
    series: [
      bar(data.names.buyers, data.buyers),
      bar(data.names.sellers, data.sellers),
      { name: data.names.won, type: "line", symbolSize: 8, data: data.won, lineStyle: { width: 2 } },
    ],
  };
};

const funnel = (data, c) => ({
  animation: false,
  aria: { enabled: false },
  tooltip: { ...tooltip(c), trigger: "item", formatter: "{b}: {c}" },
  series: [
    {
      type: "funnel",
      left: 8,
      right: "40%",
      top: 8,
      bottom: 8,
      minSize: "10%",
      gap: 3,
      sort: "none",
      label: { position: "right", formatter: "{b}  {c}", color: c.text },
      labelLine: { lineStyle: { color: c.line } },
      itemStyle: { borderWidth: 0 },
      data: data.steps.map((step, index) => ({
        name: step.name,
        value: step.value,
        itemStyle: { color: index === data.steps.length - 1 ? c.warm : mix(c.surface.startsWith("#") && c.surface.length === 7 ? c.surface : "#ffffff", c.primary, 0.4 + (0.6 * index) / Math.max(1, data.steps.length - 2)) },
      })),
    },
  ],
});

const KINDS = { forecast, funnel };

const draw = () => {
  for (const [element, chart] of charts) {
    if (!element.isConnected) {
      chart.dispose();
      charts.delete(element);
    }
  }
  for (const element of document.querySelectorAll("[data-chart]")) {
    const source = document.getElementById(element.dataset.source);
    if (!source) continue;
    const chart = charts.get(element) || window.echarts.init(element, null, { renderer: "canvas" });
    charts.set(element, chart);
    chart.setOption(KINDS[element.dataset.chart](JSON.parse(source.textContent), colours(), element.clientWidth), true);
    chart.resize();
  }
};

draw();
document.addEventListener("kring:theme", draw);
document.addEventListener("htmx:afterSettle", draw);
window.addEventListener("resize", () => {
  for (const chart of charts.values()) chart.resize();
});
