import { RoleGuard } from '../../components/ui/role-guard.js';
import { JobsPage } from '../../features/tuning/components/jobs-page.js';
import { useSession } from '../../features/session/session-context.js';

export function Component() {
  const { user } = useSession();
  return (
    <RoleGuard role={user.role} needed="admin">
      <JobsPage />
    </RoleGuard>
  );
}
