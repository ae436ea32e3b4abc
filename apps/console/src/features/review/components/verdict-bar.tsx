import { Button, Kbd } from '@mantine/core';
import classes from './review.module.css';

export interface VerdictBarProps {
  approve: () => void;
  edit: () => void;
  reject: () => void;
}

export function VerdictBar({ approve, edit, reject }: VerdictBarProps) {
  return (
    <div className={classes.verdicts} role="toolbar" aria-label="Verdict">
      <Button onClick={approve} rightSection={<Kbd size="xs">A</Kbd>} aria-label="Approve">
        Approve
      </Button>
      <Button variant="default" onClick={edit} rightSection={<Kbd size="xs">E</Kbd>} aria-label="Edit">
        Edit
      </Button>
      <Button variant="light" color="red" onClick={reject} rightSection={<Kbd size="xs">R</Kbd>} aria-label="Reject">
        Reject
      </Button>
    </div>
  );
}
