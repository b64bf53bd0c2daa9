import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  METRICS,
  type MetricRow,
} from "./metric-table.ts";

/** Called when the metrics are read. */
type Collect<Metric> = (metric: Metric) => void;

function described(registry: Registry, name: string, { help, labels }: MetricRow) {
  return { name, help, labelNames: [...labels], registers: [registry] };
}

export function counter(registry: Registry, name: CounterName, collect?: Collect<Counter>): Counter {
  const made: Counter = new Counter({
    ...described(registry, name, METRICS[name]),
    ...(collect && { collect: () => collect(made) }),
  });
  return made;
}

export function gauge(registry: Registry, name: GaugeName, collect?: Collect<Gauge>): Gauge {
  const made: Gauge = new Gauge({
    ...described(registry, name, METRICS[name]),
    ...(collect && { collect: () => collect(made) }),
  });
  return made;
}

export function histogram(registry: Registry, name: HistogramName): Histogram {
  const { buckets } = METRICS[name];
  return new Histogram({ ...described(registry, name, METRICS[name]), buckets: [...buckets] });
}
