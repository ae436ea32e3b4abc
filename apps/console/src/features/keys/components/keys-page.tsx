import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { IconPlus } from '@tabler/icons-react';
import { PageHeader } from '../../../components/ui/page-header.js';
import { Page } from '../../../components/ui/page.js';
import { QueryView } from '../../../components/ui/query-view.js';
import { keysQuery } from '../api/accounts.js';
import { keyUseQuery } from '../api/use.js';
import { KeyTable } from './key-table.js';
import { NewKeyDialog } from './new-key-dialog.js';

export function KeysPage() {
  const keys = useQuery(keysQuery());
  const use = useQuery(keyUseQuery());
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <Page>
      <PageHeader
        title="Keys"
        about="Who may come in, and as what. Programs use a key as they would use one of OpenAI’s; people sign in with it here."
        actions={
          <Button leftSection={<IconPlus size={16} />} onClick={open}>
            New key
          </Button>
        }
      />
      <QueryView query={keys}>{(all) => <KeyTable keys={all} use={use.data ?? []} />}</QueryView>
      {opened && <NewKeyDialog onClose={close} />}
    </Page>
  );
}
