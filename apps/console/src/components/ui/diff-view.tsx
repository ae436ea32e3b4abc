import { Text } from '@mantine/core';
import { useMemo } from 'react';
import { diffWords } from '../../lib/diff.js';
import classes from './diff-view.module.css';

export interface DiffViewProps {
  before: string;
  after: string;
  /** Which of the two texts to show, with the words the other one lacks marked. */
  side: 'before' | 'after';
}

export function DiffView({ before, after, side }: DiffViewProps) {
  const parts = useMemo(() => diffWords(before, after), [before, after]);
  const own = side === 'before' ? 'removed' : 'added';
  return (
    <Text component="div" className={classes.text}>
      {parts.map((part, index) => {
        if (part.kind === 'same') return <span key={index}>{part.text}</span>;
        if (part.kind !== own) return null;
        const Mark = side === 'before' ? 'del' : 'ins';
        return (
          <Mark key={index} className={classes[own]}>
            {part.text}
          </Mark>
        );
      })}
    </Text>
  );
}
