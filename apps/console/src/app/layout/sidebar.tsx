import { Burger, Button, Divider, Group, NavLink, ScrollArea, Stack, Text } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconPencilPlus } from '@tabler/icons-react';
import { NavLink as RouterLink, useLocation, useNavigate } from 'react-router';
import { Logo } from '../../components/ui/logo.js';
import { ConversationList } from '../../features/conversations/components/conversation-list.js';
import { useSession } from '../../features/session/session-context.js';
import { mayActAs } from '../../lib/roles.js';
import { consolePages } from './console-pages.js';
import { UserMenu } from './user-menu.js';

export function Sidebar({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  useHotkeys([['mod+shift+O', () => void navigate('/')]], []);
  return (
    <Stack h="100%" gap="xs" p="sm">
      <Group justify="space-between" px={6} pt={4}>
        <Group gap={10}>
          <Logo size={26} />
          <Text fw={650} size="lg">
            Attune
          </Text>
        </Group>
        <Burger hiddenFrom="sm" opened onClick={onClose} size="sm" aria-label="Close menu" />
      </Group>
      <Button
        variant="default"
        leftSection={<IconPencilPlus size={18} />}
        justify="flex-start"
        onClick={() => void navigate('/')}
        mt={4}
      >
        New chat
      </Button>
      <ScrollArea flex={1} type="hover" scrollbarSize={6} mx={-4} px={4}>
        <ConversationList />
      </ScrollArea>
      <Divider color="var(--attune-line)" />
      <ConsoleLinks />
      <Divider color="var(--attune-line)" />
      <UserMenu />
    </Stack>
  );
}

function ConsoleLinks() {
  const { user } = useSession();
  const { pathname } = useLocation();
  return (
    <Stack gap={2} component="nav" aria-label="Console">
      {consolePages
        .filter((page) => mayActAs(user.role, page.role))
        .map(({ path, title, icon: Icon }) => (
          <NavLink
            key={path}
            component={RouterLink}
            to={path}
            active={pathname.startsWith(path)}
            label={title}
            leftSection={<Icon size={18} />}
            py={6}
            style={{ borderRadius: 'var(--mantine-radius-md)' }}
          />
        ))}
    </Stack>
  );
}
