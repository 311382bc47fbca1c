// Which page an address names.
import type { ComponentType } from 'preact';
import { AlertsPage } from './alerts';
import { ApiPage } from './api';
import { AnswersPage } from './answers';
import { CallPage } from './call';
import { CallsPage } from './calls';
import { DeliveryPage } from './delivery';
import { DevicePage } from './device';
import { DevicesPage } from './devices';
import { LivePage } from './live';
import { NotFoundPage } from './not-found';
import { OverviewPage } from './overview';
import { PipelinePage } from './pipeline';
import { RiskPage } from './risk';
import { ViolationsPage } from './violations';

export interface PageEntry {
  path: string;
  title: string;
  Page: ComponentType;
}

export const PAGES: PageEntry[] = [
  { path: '/', title: 'Overview', Page: OverviewPage },
  { path: '/risk', title: 'Risk', Page: RiskPage },
  { path: '/alerts', title: 'Alerts', Page: AlertsPage },
  { path: '/delivery', title: 'Delivery', Page: DeliveryPage },
  { path: '/answers', title: 'Answers', Page: AnswersPage },
  { path: '/violations', title: 'Violations', Page: ViolationsPage },
  { path: '/devices', title: 'Devices', Page: DevicesPage },
  { path: '/calls', title: 'Calls', Page: CallsPage },
  { path: '/live', title: 'Live', Page: LivePage },
  { path: '/pipeline', title: 'Pipeline', Page: PipelinePage },
  { path: '/api', title: 'API', Page: ApiPage },
];

interface Found {
  key: string;
  title: string;
  // biome-ignore lint/complexity/noBannedTypes: pages take different props, which this table gives them
  Page: ComponentType<{}>;
  props: Record<string, string>;
}

export function pageOf(path: string): Found {
  const plain = path.replace(/\/+$/, '') || '/';
  const entry = PAGES.find((page) => page.path === plain);
  if (entry) return { key: entry.path, title: entry.title, Page: entry.Page, props: {} };
  const detail = /^\/(calls|devices)\/([^/]+)$/.exec(plain);
  const id = detail?.[2] === undefined ? null : decoded(detail[2]);
  if (detail && id !== null) {
    const Page = (detail[1] === 'calls' ? CallPage : DevicePage) as ComponentType;
    return {
      key: plain,
      title: detail[1] === 'calls' ? `Call ${id.slice(0, 8)}` : `Device ${id}`,
      Page,
      props: { id },
    };
  }
  return { key: 'none', title: 'Not found', Page: NotFoundPage, props: {} };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
