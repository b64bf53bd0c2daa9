/** A line of the text that Prometheus reads. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (-?[0-9.e+-]+|[+-]Inf|NaN)$/;

/** The samples of an exposition. Throws if a line is neither one nor a comment. */
export function samplesOf(text: string): readonly Sample[] {
  return text.split("\n").flatMap((line) => {
    if (line === "" || line.startsWith("#")) return [];
    const [, name = "", list = "", value = ""] = SAMPLE.exec(line) ?? [];
    if (name === "") throw new Error(`no sample: ${line}`);
    const labels = [...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, of]) => [label, of]);
    return [{ name, labels: Object.fromEntries(labels), value: Number(value.replace("Inf", "Infinity")) }];
  });
}

/** The sum of the samples of this name that have these labels. */
export function totalOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samplesOf(text)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** What is wrong with an exposition, by the rules that promtool has too, as far as they go without it. */
export function expositionProblems(text: string): readonly string[] {
  const types = new Map(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  const helps = new Set([...text.matchAll(/^# HELP (\w+) \S/gm)].map(([, name = ""]) => name));
  const described = [...types].flatMap(([name, type]) => problemsOfName(name, type, helps));
  return [...described, ...problemsOfSamples(samplesOf(text), types)];
}

function problemsOfName(name: string, type: string, helps: ReadonlySet<string>): string[] {
  const isTotal = name.endsWith("_total");
  const problems: string[] = [];
  if (!helps.has(name)) problems.push(`${name} has no help`);
  if (type === "counter" && !isTotal) problems.push(`the counter ${name} does not end with _total`);
  if (type !== "counter" && isTotal) problems.push(`${name} ends with _total and is no counter`);
  return problems;
}

function problemsOfSamples(samples: readonly Sample[], types: ReadonlyMap<string, string>): string[] {
  const seen = new Set<string>();
  return samples.flatMap(({ name, labels, value }) => {
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
    const series = name + JSON.stringify(Object.entries(labels).toSorted());
    const isThere = seen.has(series);
    seen.add(series);
    const problems: string[] = [];
    if (!types.has(family)) problems.push(`${name} has no type`);
    if (isThere) problems.push(`${name} is there twice`);
    if (types.get(family) === "counter" && !(value >= 0)) problems.push(`the counter ${name} is ${value}`);
    return problems;
  });
}
