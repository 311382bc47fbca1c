// Which legs or calls stand behind a measure: the filters of the list that a chart leads to. Pure.
import type { Extra } from '../state/url';

export interface Target {
  view: 'legs' | 'calls';
  filters: Extra;
  /** What the reader finds there. */
  words: string;
}

const CALLS_ANSWERED: Target = {
  view: 'calls',
  filters: { call_outcome: 'answered' },
  words: 'answered calls',
};
const ALL_LEGS: Target = { view: 'legs', filters: {}, words: 'legs' };

const FIXED: Record<string, Target> = {
  calls: { view: 'calls', filters: {}, words: 'calls' },
  calls_initiated: { view: 'calls', filters: {}, words: 'calls' },
  calls_answered: CALLS_ANSWERED,
  answer_bid_ratio: CALLS_ANSWERED,
  answer_seizure_ratio: CALLS_ANSWERED,
  answer_ratio_once_rung: CALLS_ANSWERED,
  network_effectiveness_ratio: {
    view: 'calls',
    filters: { call_outcome: ['answered', 'declined', 'unanswered', 'busy', 'filtered'] },
    words: 'calls that reached a person or the system',
  },
  violations: { view: 'legs', filters: { verdict: 'unreported' }, words: 'violating legs' },
  violation_rate: { view: 'legs', filters: { verdict: 'unreported' }, words: 'violating legs' },
  report_rate: { view: 'legs', filters: { verdict: 'reported' }, words: 'reported legs' },
  acceptance_rate: {
    view: 'legs',
    filters: { stage_reached: 'sent', stage_missing: 'accepted' },
    words: 'legs whose push was not accepted',
  },
  receipt_rate: {
    view: 'legs',
    filters: { stage_reached: 'accepted', stage_missing: 'received' },
    words: 'legs accepted but not received',
  },
  legs_received: { view: 'legs', filters: { stage_reached: 'received' }, words: 'received legs' },
};

/** `value` is the figure in that bucket: a percentile leads to the legs above it. */
export function targetOf(measure: string, value: number | null): Target {
  const fixed = FIXED[measure];
  if (fixed) return fixed;
  const prefixed = /^(verdict|outcome|call_outcome)_(.+)$/.exec(measure);
  if (prefixed?.[1] && prefixed[2]) return byPrefix(prefixed[1], prefixed[2]);
  const within = /^received_within_(\d+)s$/.exec(measure);
  if (within) return slower('sent_to_received', Number(within[1]) * 1_000);
  const percentile = /^(.+)_p\d\d$/.exec(measure);
  if (percentile?.[1] && value !== null) return slower(percentile[1], Math.floor(value));
  return ALL_LEGS;
}

function byPrefix(name: string, value: string): Target {
  const words = value.replaceAll('_', ' ');
  if (name === 'call_outcome')
    return { view: 'calls', filters: { call_outcome: value }, words: `${words} calls` };
  return { view: 'legs', filters: { [name]: value }, words: `${words} legs` };
}

function slower(stage: string, bound: number): Target {
  return { view: 'legs', filters: { slower_than: `${stage}:${bound}` }, words: 'legs slower than this' };
}
