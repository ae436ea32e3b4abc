import { RoleGuard } from '../../components/ui/role-guard.js';
import { KeysPage } from '../../features/keys/components/keys-page.js';
import { useSession } from '../../features/session/session-context.js';

export function Component() {
  const { user } = useSession();
  return (
    <RoleGuard role={user.role} needed="admin">
      <KeysPage />
    </RoleGuard>
  );
}
