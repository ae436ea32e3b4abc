import { Anchor, Code, List, Title } from '@mantine/core';
import { Fragment, memo, useMemo, type ReactNode } from 'react';
import { type Block, type Inline, parseMarkdown } from '../../lib/markdown.js';
import { CodeBlock } from './code-block.js';
import classes from './markdown-text.module.css';

export interface MarkdownTextProps {
  text: string;
  /** What stands for `[2]`; the plain text when it gives null. */
  renderReference?: (number: number) => ReactNode;
}

/** Markdown light as React elements; no HTML is ever interpreted. */
export const MarkdownText = memo(function MarkdownText({ text, renderReference }: MarkdownTextProps) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  const inline = (parts: Inline[]): ReactNode[] =>
    parts.map((part, index) => <Fragment key={index}>{renderInline(part, inline, renderReference)}</Fragment>);
  return (
    <div className={classes.text}>
      {blocks.map((block, index) => (
        <Fragment key={index}>{renderBlock(block, inline)}</Fragment>
      ))}
    </div>
  );
});

type InlineRenderer = (parts: Inline[]) => ReactNode[];

function renderBlock(block: Block, inline: InlineRenderer): ReactNode {
  switch (block.kind) {
    case 'paragraph':
      return <p>{lines(block.lines, inline)}</p>;
    case 'quote':
      return <blockquote>{lines(block.lines, inline)}</blockquote>;
    case 'code':
      return <CodeBlock code={block.text} language={block.language} />;
    case 'heading':
      return (
        <Title order={4} mt="sm" mb={4}>
          {inline(block.content)}
        </Title>
      );
    case 'list':
      return (
        <List type={block.ordered ? 'ordered' : 'unordered'} listStyleType={block.ordered ? 'decimal' : 'disc'} my={6}>
          {block.items.map((item, index) => (
            <List.Item key={index} value={block.ordered ? block.start + index : undefined}>
              {inline(item)}
            </List.Item>
          ))}
        </List>
      );
  }
}

function lines(all: Inline[][], inline: InlineRenderer): ReactNode {
  return all.map((line, index) => (
    <Fragment key={index}>
      {index > 0 && <br />}
      {inline(line)}
    </Fragment>
  ));
}

function renderInline(
  part: Inline,
  inline: InlineRenderer,
  renderReference: MarkdownTextProps['renderReference'],
): ReactNode {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'code':
      return <Code>{part.text}</Code>;
    case 'strong':
      return <strong>{inline(part.children)}</strong>;
    case 'emphasis':
      return <em>{inline(part.children)}</em>;
    case 'link':
      return (
        <Anchor href={part.href} target="_blank" rel="noreferrer noopener">
          {part.text}
        </Anchor>
      );
    case 'reference':
      return renderReference?.(part.number) ?? `[${part.number}]`;
  }
}
