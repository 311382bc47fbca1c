// What the API answers (its OpenAPI document is the source; a test compares the two).

export type Num = number | null;
export type Measures = Record<string, Num>;
export type Key = Record<string, string | null>;

export interface Freshness {
  log_clock: Num;
  behind_ms: Num;
  state: 'fresh' | 'late' | 'unknown';
  rolled_at: Num;
}

export interface Group {
  key: Key;
  current: Measures;
  previous: Measures | null;
}

export interface Summary {
  from: number;
  to: number;
  compare: { from: number; to: number } | null;
  groups: Group[];
  truncated: boolean;
  freshness: Freshness;
}

export interface SeriesGroup {
  key: Key;
  current: Record<string, Num[]>;
  previous: Record<string, Num[]> | null;
}

export interface Series {
  from: number;
  to: number;
  bucket_ms: number;
  times: number[];
  groups: SeriesGroup[];
  truncated: boolean;
}

export interface Distribution {
  stage: string;
  from: number;
  to: number;
  bounds: Num[];
  counts: number[];
  total: number;
  censored: Num;
  heatmap: { bucket_ms: number; times: number[]; counts: number[][] };
}

export interface Reasons {
  legs: number;
  rejections: { reason: string | null; legs: number; share: Num }[];
  diagnoses: { code: string; legs: number; share: Num }[];
  end_reasons: { reason: string | null; legs: number }[];
}

export interface DimensionValues {
  values: { value: string | null; legs: number }[];
  truncated: boolean;
}

export type Unit = 'count' | 'ratio' | 'ms' | 's';

export interface Measure {
  name: string;
  label: string;
  unit: Unit;
  formula: string;
  source: string | null;
  good: 'up' | 'down' | 'none';
}

export interface VendorDocument {
  title: string;
  url: string;
}

export interface Definitions {
  measures: Measure[];
  dimensions: { name: string; label: string }[];
  stages: { name: string; label: string }[];
  diagnoses: { code: string; cause: string; remedy: string; document: VendorDocument | null }[];
  verdicts: { name: string; meaning: string }[];
  outcomes: { name: string; meaning: string }[];
  verdict_lines: { line: number; reason: string }[];
}

export interface Status {
  version: string;
  freshness: Freshness;
  tenants: string[];
  roles: string[];
  auth: 'none' | 'token';
  limits: Record<string, Num>;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string | null;
  instance?: string | null;
  parameter?: string | null;
  limit?: number | string | null;
  retry_after_s?: Num;
}
