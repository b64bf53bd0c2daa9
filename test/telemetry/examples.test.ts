import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { metricsPage } from "../../scripts/metrics-page.ts";
import { METRICS, type MetricRow } from "../../src/adapters/telemetry/metric-table.ts";
import { promtool } from "../support/promtool.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../examples");
/** What Prometheus itself adds to every series. */
const OF_PROMETHEUS = ["instance", "job"];

interface Query {
  readonly where: string;
  readonly expression: string;
  /** Templates in what people read: Grafana's `{{label}}`, Prometheus's `{{ $labels.label }}`. */
  readonly texts: readonly string[];
}

/** The metric that a series is of, with the labels that it has; undefined: there is none. */
function metricOf(series: string): { readonly labels: readonly string[] } | undefined {
  if (series === "up") return { labels: OF_PROMETHEUS };
  const rows: Readonly<Record<string, MetricRow>> = METRICS;
  const row = rows[series];
  if (row !== undefined && row.type !== "histogram") return { labels: [...row.labels, ...OF_PROMETHEUS] };
  const histogram = rows[series.replace(/_(bucket|sum|count)$/, "")];
  if (histogram?.type !== "histogram" || row !== undefined) return undefined;
  const bound = series.endsWith("_bucket") ? ["le"] : [];
  return { labels: [...histogram.labels, ...OF_PROMETHEUS, ...bound] };
}

/** Each series in an expression, with the labels that it is selected by. */
function seriesIn(
  expression: string,
): readonly { readonly series: string; readonly labels: readonly string[] }[] {
  const pattern = /\b((?:keywarden|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g;
  return [...expression.matchAll(pattern)].map(([, series = "", matchers = ""]) => ({
    series,
    labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label),
  }));
}

/** The labels that results are grouped by, and those that texts show. */
function labelsUsed(expression: string, texts: readonly string[]): readonly string[] {
  const grouped = [...expression.matchAll(/\b(?:by|without|on) \(([^)]*)\)/g)];
  const shown = texts.flatMap((text) => [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)]);
  return [...grouped.flatMap(([, list = ""]) => list.split(/,\s*/)), ...shown.map(([, label = ""]) => label)];
}

/** All that is wrong with the names in a query. */
function problemsOf({ expression, texts }: Query): readonly string[] {
  // A label's value is the caller's own affair; what stands in quotes could look like a name.
  const bare = expression.replace(/"[^"]*"/g, '""');
  const known = new Set<string>();
  const problems = seriesIn(bare).flatMap(({ series, labels }) => {
    const metric = metricOf(series);
    if (metric === undefined) return [`there is no metric ${series}`];
    for (const label of metric.labels) known.add(label);
    const missing = labels.filter((label) => !metric.labels.includes(label));
    return missing.map((label) => `${series} has no label ${label}`);
  });
  if (seriesIn(bare).length === 0) return ["it names no metric"];
  const unknown = labelsUsed(bare, texts).filter((label) => !known.has(label));
  return [...problems, ...unknown.map((label) => `nothing has a label ${label}`)];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

function dashboardQueries(): Query[] {
  const { panels } = JSON.parse(readFileSync(`${EXAMPLES}/grafana/keywarden.json`, "utf8"));
  return panels.flatMap(({ title, targets = [] }: Panel) =>
    targets.map(({ expr, legendFormat }) => ({ where: title, expression: expr, texts: [legendFormat] })),
  );
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

function alertQueries(): Query[] {
  const { groups } = parse(readFileSync(`${EXAMPLES}/prometheus/alerts.yaml`, "utf8"));
  return groups.flatMap(({ rules }: { readonly rules: readonly Rule[] }) =>
    rules.map(({ alert, expr, annotations }) => ({
      where: alert,
      expression: expr,
      texts: Object.values(annotations),
    })),
  );
}

describe("every metric and label exists", () => {
  it.each(dashboardQueries())("of the dashboard's panel $where: $expression", (query) => {
    expect(problemsOf(query)).toEqual([]);
  });

  it.each(alertQueries())("of the alert $where", (query) => {
    expect(problemsOf(query)).toEqual([]);
  });

  it.each([
    ["keywarden_verification_total", [], "there is no metric keywarden_verification_total"],
    [
      "keywarden_verification_duration_seconds",
      [],
      "there is no metric keywarden_verification_duration_seconds",
    ],
    ['keywarden_verifications_total{key="1"}', [], "keywarden_verifications_total has no label key"],
    ["sum by (doors) (keywarden_verifications_total)", [], "nothing has a label doors"],
    ["keywarden_workers", ["{{thread}}"], "nothing has a label thread"],
    ["1 > 0", [], "it names no metric"],
  ])("and %s with %j would be found", (expression, texts, problem) => {
    expect(problemsOf({ where: "", expression, texts })).toContain(problem);
  });
});

describe("every metric", () => {
  it.each(Object.keys(METRICS).filter((name) => name.startsWith("keywarden_")))(
    "%s is in the documentation",
    (name) => {
      const page = readFileSync(resolve(import.meta.dirname, "../../docs/reference/metrics.md"), "utf8");
      expect(page).toContain(`| \`${name}\` |`);
    },
  );

  it.each(Object.keys(METRICS).filter((name) => name.startsWith("keywarden_")))(
    "%s is on the dashboard",
    (name) => {
      const dashboard = readFileSync(`${EXAMPLES}/grafana/keywarden.json`, "utf8");
      const shown = seriesIn(dashboard.replaceAll('\\"', '"')).map(({ series }) => series);
      expect(shown.map((series) => series.replace(/_bucket$/, ""))).toContain(name);
    },
  );

  it("docs/reference/metrics.md is what `npm run generate` makes", () => {
    const page = readFileSync(resolve(import.meta.dirname, "../../docs/reference/metrics.md"), "utf8");
    expect(page).toBe(metricsPage());
  });

  it("every label is described, and none that is not there", async () => {
    const { LABELS } = await import("../../src/adapters/telemetry/metric-table.ts");
    const rows: readonly MetricRow[] = Object.values(METRICS);
    const used = new Set(rows.flatMap(({ labels }) => labels));
    expect(Object.keys(LABELS).toSorted()).toEqual([...used].toSorted());
  });
});

it("every alert has a case that raises it", () => {
  interface Case {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }
  const { tests } = parse(readFileSync(`${EXAMPLES}/prometheus/alerts.test.yaml`, "utf8"));
  const raised = tests
    .flatMap((test: Case) => test.alert_rule_test)
    .filter(({ exp_alerts }: Case["alert_rule_test"][number]) => exp_alerts.length > 0)
    .map(({ alertname }: Case["alert_rule_test"][number]) => alertname);
  expect([...new Set(raised)].toSorted()).toEqual(
    alertQueries()
      .map(({ where }) => where)
      .toSorted(),
  );
});

describe("promtool", () => {
  const check = promtool();

  it("accepts the configuration and the alerts", () => {
    if (check === undefined) return;
    expect(check(["check", "rules", `${EXAMPLES}/prometheus/alerts.yaml`])).toMatchObject({ ok: true });
    expect(check(["check", "config", `${EXAMPLES}/prometheus/prometheus.yaml`])).toMatchObject({ ok: true });
  });

  it("raises the alerts when they should be raised, and only then", () => {
    if (check === undefined) return;
    const { ok, output } = check(["test", "rules", `${EXAMPLES}/prometheus/alerts.test.yaml`]);
    expect(output).toContain("SUCCESS");
    expect(ok).toBe(true);
  });
});
