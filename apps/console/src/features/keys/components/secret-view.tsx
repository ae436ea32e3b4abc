import type { CreatedApiKey } from '@attune/contracts';
import { Alert, Button, Code, Group, Stack } from '@mantine/core';
import { CopyIcon } from '../../../components/ui/copy-icon.js';

/** The one time the secret can be read. */
export function SecretView({ created, onClose }: { created: CreatedApiKey; onClose: () => void }) {
  return (
    <Stack>
      <Alert color="orange" title="Copy it now">
        The gateway keeps only a hash of this key; it cannot be shown again.
      </Alert>
      <Group wrap="nowrap" gap="xs">
        <Code block flex={1} aria-label="Secret" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {created.secret}
        </Code>
        <CopyIcon text={created.secret} name="Copy the key" />
      </Group>
      <Group justify="flex-end">
        <Button onClick={onClose} data-autofocus>
          I have copied it
        </Button>
      </Group>
    </Stack>
  );
}
