// The dictionary that stands beside every number, asked once and kept.
import { useMemo } from 'preact/hooks';
import { useQuery } from './query';
import type { Definitions, Measure } from './types';

export interface Dictionary {
  all: Definitions | null;
  measure(name: string): Measure;
  dimension(name: string): string;
  verdict(name: string): string | null;
  outcome(name: string): string | null;
  line(line: number): string | null;
}

export function useDictionary(): Dictionary {
  const { data } = useQuery<Definitions>('/definitions', undefined, false);
  return useMemo(() => dictionary(data), [data]);
}

export function dictionary(all: Definitions | null): Dictionary {
  const measures = new Map(all?.measures.map((measure) => [measure.name, measure]));
  const dimensions = new Map(all?.dimensions.map((dimension) => [dimension.name, dimension.label]));
  return {
    all,
    measure: (name) => measures.get(name) ?? unknownMeasure(name),
    dimension: (name) => dimensions.get(name) ?? words(name),
    verdict: (name) => all?.verdicts.find((verdict) => verdict.name === name)?.meaning ?? null,
    outcome: (name) => all?.outcomes.find((outcome) => outcome.name === name)?.meaning ?? null,
    line: (line) => all?.verdict_lines.find((candidate) => candidate.line === line)?.reason ?? null,
  };
}

/** `app_version` -> "app version". */
export function words(name: string): string {
  return name
    .replaceAll('_', ' ')
    .replace(/\bos\b/, 'OS')
    .replace(/\bsdk\b/, 'SDK');
}

function unknownMeasure(name: string): Measure {
  const unit = /_(p\d+|ms)$/.test(name)
    ? 'ms'
    : /(rate|ratio|coverage|within_\d+s)$/.test(name)
      ? 'ratio'
      : 'count';
  return { name, label: words(name), unit, formula: '', source: null, good: 'none' };
}
