import type { ConversationSummary } from '@attune/contracts';
import { ActionIcon, Button, Group, Menu, Modal, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { Link } from 'react-router';
import classes from './conversation-row.module.css';

export interface ConversationRowProps {
  conversation: ConversationSummary;
  /** Whether it is the one on the screen. */
  current: boolean;
  onRename: (title: string) => void;
  onDelete: () => void;
}

export function ConversationRow({ conversation, current, onRename, onDelete }: ConversationRowProps) {
  const [renaming, renameDialog] = useDisclosure(false);
  const [deleting, deleteDialog] = useDisclosure(false);
  return (
    <div className={classes.row} data-current={current || undefined}>
      <Link
        to={`/c/${conversation.id}`}
        className={classes.link}
        aria-current={current ? 'page' : undefined}
        title={conversation.title}
      >
        {conversation.title}
      </Link>
      <Menu position="bottom-end" width={160}>
        <Menu.Target>
          <ActionIcon className={classes.menu} size="sm" aria-label={`More about ${conversation.title}`}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} />} onClick={renameDialog.open}>
            Rename
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={deleteDialog.open}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <RenameDialog title={conversation.title} opened={renaming} onClose={renameDialog.close} onRename={onRename} />
      <Modal opened={deleting} onClose={deleteDialog.close} title={<Text fw={600}>Delete this conversation?</Text>}>
        <Text size="sm">
          “{conversation.title}” will no longer be shown. Feedback given in it stays with the reviewers.
        </Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={deleteDialog.close}>
            Cancel
          </Button>
          <Button color="red" onClick={onDelete} data-autofocus>
            Delete
          </Button>
        </Group>
      </Modal>
    </div>
  );
}

interface RenameDialogProps {
  title: string;
  opened: boolean;
  onClose: () => void;
  onRename: (title: string) => void;
}

function RenameDialog({ title, opened, onClose, onRename }: RenameDialogProps) {
  const [text, setText] = useState(title);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    onRename(text.trim());
    onClose();
  };
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={600}>Rename conversation</Text>}>
      <form onSubmit={submit}>
        <TextInput
          label="Title"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          maxLength={200}
          data-autofocus
        />
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={text.trim() === ''}>
            Rename
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
