/** error: something does not work, or is not safe. warning: it will not, if nobody does anything. note: good to know. */
export const SEVERITIES = ["error", "warning", "note"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Something that whoever runs Keywarden should know, and what to do about it. */
export interface Finding {
  readonly severity: Severity;
  /** UPPER_SNAKE, stable: what programs and tests compare. */
  readonly code: string;
  /** What is so, in one sentence without its full stop. */
  readonly what: string;
  /** What to do, in one sentence without its full stop. */
  readonly next: string;
}

export const hasErrors = (findings: readonly Finding[]): boolean =>
  findings.some(({ severity }) => severity === "error");
