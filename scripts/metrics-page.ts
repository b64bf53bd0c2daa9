import { LABELS, METRICS, type MetricRow } from "../src/adapters/telemetry/metric-table.ts";
import { markdownTable } from "./markdown-table.ts";

function code(text: string): string {
  return `\`${text}\``;
}

/** docs/reference/metrics.md, made from the table that the metrics themselves are made from. */
export function metricsPage(): string {
  const rows: readonly (readonly [string, MetricRow])[] = Object.entries(METRICS);
  const histograms = rows.filter(([, { buckets }]) => buckets !== undefined);
  return `<!-- Made by \`npm run generate\` from src/adapters/telemetry/metric-table.ts. -->
# Metrics

What \`GET /metrics\` on \`--admin-http\` tells Prometheus. No label ever holds a key, a token, or anything else that
callers choose. A counter lives as long as the process, whatever becomes of its threads.

${markdownTable(
  ["metric", "type", "labels", "what it is"],
  rows.map(([name, { type, labels, help }]) => [code(name), type, labels.map(code).join(", "), help]),
)}

## Labels

${markdownTable(
  ["label", "values"],
  Object.entries(LABELS).map(([label, values]) => [code(label), values]),
)}

## Buckets

Upper bounds in seconds.

${markdownTable(
  ["histogram", "buckets"],
  histograms.map(([name, { buckets }]) => [code(name), (buckets ?? []).join(", ")]),
)}
`;
}
