import type { Role } from '@attune/contracts';
import { IconChecklist, IconFileText, IconKey, IconTrendingUp, IconVersions } from '@tabler/icons-react';

/** The console's pages in the order of the menu, each with the least role that may open it. */
export const consolePages = [
  { path: '/console/review', title: 'Review', icon: IconChecklist, role: 'reviewer' },
  { path: '/console/documents', title: 'Documents', icon: IconFileText, role: 'user' },
  { path: '/console/tuning', title: 'Tuning', icon: IconTrendingUp, role: 'admin' },
  { path: '/console/checkpoints', title: 'Checkpoints', icon: IconVersions, role: 'admin' },
  { path: '/console/keys', title: 'Keys', icon: IconKey, role: 'admin' },
] as const satisfies readonly { path: string; title: string; icon: unknown; role: Role }[];
