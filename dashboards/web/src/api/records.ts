// Rows and histories that the API answers: legs, calls, raw events, devices, the pipeline.
import type { DeviceRisk } from './risk';
import type { Freshness, Num, VendorDocument } from './types';

type Text = string | null;

export interface Leg {
  tenant_id: string;
  app_id: string;
  call_uuid: string;
  device_id: string;
  role: string;
  platform: Text;
  os_version: Text;
  os_major: Num;
  app_version: Text;
  sdk_version: Text;
  device_model: Text;
  country: Text;
  carrier: Text;
  network: Text;
  build_channel: Text;
  channel: Text;
  environment: Text;
  call_ui: Text;
  verdict: string;
  evidence: Text;
  outcome: string;
  end_reason: Text;
  diagnoses: string[];
  push_attempts: number;
  push_reject_reason: Text;
  app_state: Text;
  sent_at: Num;
  accepted_at: Num;
  received_at: Num;
  reported_at: Num;
  answered_at: Num;
  audio_at: Num;
  declined_at: Num;
  ended_at: Num;
  sent_to_accepted_ms: Num;
  accepted_to_received_ms: Num;
  sent_to_received_ms: Num;
  received_to_reported_ms: Num;
  reported_to_answered_ms: Num;
  answered_to_audio_ms: Num;
  initiated_to_reported_ms: Num;
  talk_ms: Num;
  started_at: number;
  updated_at: number;
}

export interface Call {
  tenant_id: string;
  app_id: string;
  call_uuid: string;
  started_at: number;
  initiated_at: Num;
  answered_at: Num;
  connected_at: Num;
  cancelled_at: Num;
  ended_at: Num;
  outcome: string;
  end_reason: Text;
  legs: number;
  legs_violating: number;
  diagnoses: string[];
  updated_at: number;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface RawEvent {
  event_id: string;
  kind: string;
  device_id: Text;
  producer: 'device' | 'server';
  occurred_at: number;
  corrected_at: number;
  clock_offset_ms: Num;
  log_at: number;
  source: string;
  attributes: Record<string, unknown>;
  folded: boolean;
  milestone: Text;
}

export interface Advice {
  diagnosis: string;
  cause: string;
  remedy: string;
  document: VendorDocument | null;
}

export interface LegDetail extends Leg {
  decision: { line: number; reason: string; until: Num };
  advice: Advice[];
  clock: { offset_ms: Num; spread_ms: Num };
}

export interface CallDetail {
  call: Call;
  legs: LegDetail[];
  events: RawEvent[];
  judged_at: number;
  next_change_at: Num;
  own_events_are_folded: boolean;
  other_tenants: string[];
}

export interface DeviceRow {
  tenant_id: string;
  device_id: string;
  app_id: Text;
  app_version: Text;
  os_version: Text;
  device_model: Text;
  legs: number;
  violations: number;
  last_leg_at: Num;
  last_received_at: Num;
  suspected: 'none' | 'silent';
}

export interface Snapshot {
  at: number;
  attributes: Record<string, unknown>;
}

export interface DeviceDetail {
  tenant_id: string;
  device_id: string;
  apps: Record<string, string | number | null>[];
  tokens: (Snapshot & { kind: 'updated' | 'invalidated' })[];
  call_directory: Snapshot | null;
  permissions: Snapshot | null;
  strikes: { at: number; call_uuid: string; app_id: string; verdict: string; evidence: Text }[];
  suspicion: { level: 'none' | 'watch' | 'suspected'; why: string };
  risk: DeviceRisk[];
  events: RawEvent[];
  legs: Leg[];
}

export interface DeadLetters {
  total_by_reason: { reason: string; count: number }[];
  items: { position: string; at: number; reason: string; detail: Text; source: Text }[];
  truncated: boolean;
}

export interface Pipeline {
  freshness: Freshness;
  slots: {
    slot: number;
    instance: Text;
    log_clock: Num;
    lag: Num;
    open_calls: Num;
    sequence: Num;
    written_at: Num;
  }[];
  throughput: { bucket_ms: number; times: number[]; events: number[] };
  late: { threshold_ms: number; share: Num; times: number[]; shares: Num[] };
  dead_letters: DeadLetters | null;
  rows: { table: string; rows: number; bytes: number; parts: number }[];
}
