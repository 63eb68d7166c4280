/** The pages of the console: name in the address, name on the rail, and when their code is loaded. */
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import { t } from '../lib/messages.ts';
import type { IconName } from '../ui/Icon.tsx';

export interface PageEntry {
  readonly id: string;
  readonly icon: IconName;
  readonly label: () => string;
  /** Digit of the shortcut: g, then this key. */
  readonly key: string;
  /** The query page is part of the first load; the others come when they are opened. */
  readonly component: LazyExoticComponent<ComponentType> | null;
}

const load = (factory: () => Promise<Record<string, ComponentType>>, name: string) =>
  lazy(async () => ({ default: (await factory())[name] }));

export const PAGES: readonly PageEntry[] = [
  { id: 'query', icon: 'query', label: () => t('Query'), key: 'q', component: null },
  {
    id: 'tables',
    icon: 'tables',
    label: () => t('Tables'),
    key: 't',
    component: load(() => import('../features/tables/TablesPage.tsx'), 'TablesPage'),
  },
  {
    id: 'explain',
    icon: 'explain',
    label: () => t('Explain'),
    key: 'e',
    component: load(() => import('../features/explain/ExplainPage.tsx'), 'ExplainPage'),
  },
  {
    id: 'dashboard',
    icon: 'dashboard',
    label: () => t('Dashboard'),
    key: 'd',
    component: load(() => import('../features/dashboard/DashboardPage.tsx'), 'DashboardPage'),
  },
  {
    id: 'activity',
    icon: 'activity',
    label: () => t('Activity'),
    key: 'a',
    component: load(() => import('../features/activity/ActivityPage.tsx'), 'ActivityPage'),
  },
  {
    id: 'statements',
    icon: 'statements',
    label: () => t('Statements'),
    key: 's',
    component: load(() => import('../features/statements/StatementsPage.tsx'), 'StatementsPage'),
  },
  {
    id: 'health',
    icon: 'health',
    label: () => t('Health'),
    key: 'h',
    component: load(() => import('../features/health/HealthPage.tsx'), 'HealthPage'),
  },
  {
    id: 'advisor',
    icon: 'advisor',
    label: () => t('Advisor'),
    key: 'i',
    component: load(() => import('../features/advisor/AdvisorPage.tsx'), 'AdvisorPage'),
  },
  {
    id: 'security',
    icon: 'security',
    label: () => t('Security'),
    key: 'r',
    component: load(() => import('../features/security/SecurityPage.tsx'), 'SecurityPage'),
  },
];
