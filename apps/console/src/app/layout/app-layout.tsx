import { AppShell, Box, Burger, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useEffect } from 'react';
import { Outlet, useLocation } from 'react-router';
import { Logo } from '../../components/ui/logo.js';
import { SessionGate } from '../../features/session/components/session-gate.js';
import { Sidebar } from './sidebar.js';

export function AppLayout() {
  return (
    <SessionGate>
      <Frame />
    </SessionGate>
  );
}

function Frame() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  useEffect(close, [pathname, close]);
  return (
    <AppShell
      layout="alt"
      header={{ height: { base: 52, sm: 0 } }}
      navbar={{ width: 272, breakpoint: 'sm', collapsed: { mobile: !opened } }}
    >
      <AppShell.Header hiddenFrom="sm" px="md">
        <Group h="100%" gap="sm">
          <Burger opened={opened} onClick={toggle} size="sm" aria-label="Menu" />
          <Logo size={24} />
          <Text fw={600}>Attune</Text>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar bg="var(--attune-sunken)" style={{ borderColor: 'var(--attune-line)' }} aria-label="Main">
        <Sidebar onClose={close} />
      </AppShell.Navbar>
      <AppShell.Main h="100dvh">
        <Box h="100%">
          <Outlet />
        </Box>
      </AppShell.Main>
    </AppShell>
  );
}
