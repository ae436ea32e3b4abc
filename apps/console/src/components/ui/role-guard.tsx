import type { Role } from '@attune/contracts';
import { IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { mayActAs } from '../../lib/roles.js';
import { EmptyState } from './empty-state.js';
import { Page } from './page.js';

export interface RoleGuardProps {
  role: Role;
  needed: Role;
  children: ReactNode;
}

/** Says which role a page needs instead of letting it fail. The gateway guards the data itself. */
export function RoleGuard({ role, needed, children }: RoleGuardProps) {
  if (mayActAs(role, needed)) return <>{children}</>;
  return (
    <Page>
      <EmptyState icon={<IconLock size={24} />} title="This page is not open to you">
        It needs the role “{needed}”; your key has the role “{role}”. Ask an administrator for another key.
      </EmptyState>
    </Page>
  );
}
