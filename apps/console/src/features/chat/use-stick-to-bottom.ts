import { useLayoutEffect, useRef } from 'react';

/** Closer to the end than this counts as being at the end. */
const NEAR_PX = 80;

/**
 * Keeps a scrolling element at its end while its content grows, unless the reader has scrolled up.
 * `sent` changes when the reader sends something: then it jumps to the end in any case.
 */
export function useStickToBottom(content: unknown, sent: number) {
  const ref = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  const onScroll = () => {
    const element = ref.current!;
    sticks.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
  };
  useLayoutEffect(() => {
    sticks.current = true;
  }, [sent]);
  useLayoutEffect(() => {
    if (sticks.current && ref.current) ref.current.scrollTop = ref.current.scrollHeight;
  }, [content, sent]);
  return { ref, onScroll };
}
