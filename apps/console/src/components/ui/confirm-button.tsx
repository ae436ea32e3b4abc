import { Button, type ButtonProps, Group, Modal, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';

export interface ConfirmButtonProps extends ButtonProps {
  /** On the button and on the button that confirms. */
  label: string;
  /** What will happen. */
  question: ReactNode;
  onConfirm: () => void;
  /** Accessible name where the label alone does not say which row. */
  name?: string;
}

/** A button that asks once more before it acts. */
export function ConfirmButton({ label, question, onConfirm, name, ...button }: ConfirmButtonProps) {
  const [opened, { open, close }] = useDisclosure(false);
  const confirm = () => {
    close();
    onConfirm();
  };
  return (
    <>
      <Button {...button} onClick={open} aria-label={name}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={<Text fw={600}>{label}?</Text>}>
        <Text size="sm">{question}</Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button color={button.color} onClick={confirm} data-autofocus>
            {label}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
