// Risk and alerts, as the API answers them.
import type { Num } from './types';

type Text = string | null;

export type AppLevel = 'ok' | 'watch' | 'at_risk' | 'critical';
export type DeviceLevel = AppLevel | 'suspected';

/** Up to where the alerter has looked; null where none has ever run. */
export type Alerter = { log_clock: number; written_at: number } | null;

export interface LevelStep {
  at: number;
  level: AppLevel;
  reason: string;
}

export interface AppRisk {
  tenant_id: string;
  app_id: string;
  app_version: string;
  os_major: string;
  level: AppLevel;
  since: number;
  reason: string;
  required: number;
  violations: number;
  confirmed: number;
  log_clock: number;
  trend: LevelStep[];
}

export interface AppRisks {
  from: number;
  to: number;
  levels: { level: AppLevel; apps: number }[];
  items: AppRisk[];
  truncated: boolean;
  alerter: Alerter;
}

export interface DeviceRisk {
  tenant_id: string;
  app_id: string;
  device_id: string;
  level: DeviceLevel;
  since: number;
  strikes: number;
  last_strike_at: Num;
  silent: number;
  silent_since: Num;
  suspected_at: Num;
  call_uuid: Text;
  reason: string;
  log_clock: number;
}

export interface DeviceRisks {
  levels: { level: DeviceLevel; devices: number }[];
  items: DeviceRisk[];
  next_cursor: Text;
  alerter: Alerter;
}

export interface Episode {
  fingerprint: string;
  rule: string;
  severity: 'page' | 'ticket';
  labels: Record<string, string>;
  state: 'pending' | 'firing' | 'resolved';
  fired_at: Num;
  resolved_at: Num;
  summary: string;
  found_late_ms: number;
  examples: { call_uuid: string; device_id: Text; at: number }[];
  runbook: Text;
  page: string;
  deliveries: { receiver: string; state: 'owed' | 'firing' | 'resolved'; at: number }[];
}

export interface Alert extends Episode {
  since: number;
  muted: boolean;
  held_back_by: string[];
  holds_back: string[];
}

export interface Alerts {
  firing: number;
  items: Alert[];
  truncated: boolean;
  alerter: Alerter;
}
