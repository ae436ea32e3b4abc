import { ActionIcon, createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const teal: MantineColorsTuple = [
  '#eefbf8',
  '#d9f3ed',
  '#b0e6da',
  '#84d8c6',
  '#5bc9b3',
  '#38b29c',
  '#1c9683',
  '#0f7a6c',
  '#0d6358',
  '#0b4f47',
];

/** Warm greys; 7 is the page in the dark, 6 what stands on it. */
const dark: MantineColorsTuple = [
  '#e4e2de',
  '#c5c2bc',
  '#a09d97',
  '#77746e',
  '#45433f',
  '#353330',
  '#262523',
  '#1b1a19',
  '#151413',
  '#0f0e0e',
];

const gray: MantineColorsTuple = [
  '#faf9f7',
  '#f4f2ef',
  '#eae7e2',
  '#dcd8d1',
  '#c6c1b8',
  '#a39d93',
  '#7d776e',
  '#5c574f',
  '#3d3933',
  '#24211d',
];

export const theme = createTheme({
  primaryColor: 'teal',
  black: '#24211d',
  primaryShade: { light: 7, dark: 6 },
  colors: { teal, dark, gray },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.15rem' } } },
  components: {
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
    ActionIcon: ActionIcon.extend({
      defaultProps: { variant: 'subtle', color: 'gray' },
      // Quiet until they mean something.
      vars: (_, { variant, color }) => ({
        root: variant === 'subtle' && color === 'gray' ? { '--ai-color': 'var(--attune-quiet)' } : {},
      }),
    }),
    Modal: { defaultProps: { centered: true } },
  },
});

const tinted = ['teal', 'red', 'orange', 'blue'] as const;

/** In the dark, light variants are a tint over what they stand on rather than a loud block. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {},
  dark: Object.fromEntries(
    tinted.flatMap((color) => [
      [`--mantine-color-${color}-light`, `color-mix(in srgb, var(--mantine-color-${color}-6) 18%, transparent)`],
      [`--mantine-color-${color}-light-hover`, `color-mix(in srgb, var(--mantine-color-${color}-6) 26%, transparent)`],
      [`--mantine-color-${color}-light-color`, `var(--mantine-color-${color}-3)`],
    ]),
  ),
});
