import { Anchor } from '@mantine/core';
import { IconMapQuestion } from '@tabler/icons-react';
import { Link } from 'react-router';
import { EmptyState } from '../../components/ui/empty-state.js';
import { Page } from '../../components/ui/page.js';

export function Component() {
  return (
    <Page>
      <EmptyState icon={<IconMapQuestion size={24} />} title="There is no such page">
        <Anchor component={Link} to="/">
          Go to the chat
        </Anchor>
      </EmptyState>
    </Page>
  );
}
