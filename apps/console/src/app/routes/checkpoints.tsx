import { RoleGuard } from '../../components/ui/role-guard.js';
import { CheckpointsPage } from '../../features/checkpoints/components/checkpoints-page.js';
import { useSession } from '../../features/session/session-context.js';

export function Component() {
  const { user } = useSession();
  return (
    <RoleGuard role={user.role} needed="admin">
      <CheckpointsPage />
    </RoleGuard>
  );
}
