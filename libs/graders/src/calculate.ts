import { InvalidRequestError } from '@attune/platform';

const FUNCTIONS: Readonly<Record<string, (...values: number[]) => number>> = {
  min: Math.min,
  max: Math.max,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  exp: Math.exp,
  sqrt: Math.sqrt,
  log: Math.log,
};
const TOKEN = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(.))/y;
const DEEPEST = 50;

/**
 * The value of an arithmetic expression: + - * / ^, parentheses, functions and names.
 * @throws InvalidRequestError when it is none, or speaks of a name that `values` lacks
 */
export function calculate(expression: string, values: Readonly<Record<string, number>>): number {
  const parser = new Parser(expression, (name) => {
    if (Object.hasOwn(values, name)) return values[name]!;
    throw wrong(expression, `there is no \`${name}\``);
  });
  return parser.whole();
}

/** The names an expression speaks of, functions not counted. @throws InvalidRequestError when it is no expression */
export function namesIn(expression: string): string[] {
  const names = new Set<string>();
  new Parser(expression, (name) => {
    names.add(name);
    return 1;
  }).whole();
  return [...names];
}

type Token = { type: 'number'; value: number } | { type: 'name' | 'sign'; text: string } | { type: 'end' };

/** Recursive descent: sum of products of powers of atoms. */
class Parser {
  private readonly tokens: Token[];
  private at = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly lookUp: (name: string) => number,
  ) {
    this.tokens = tokensOf(text);
  }

  whole(): number {
    const value = this.sum();
    if (this.tokens[this.at]!.type !== 'end') throw wrong(this.text, 'something follows its end');
    return value;
  }

  private sum(): number {
    if (++this.depth > DEEPEST) throw wrong(this.text, 'it is nested too deeply');
    let value = this.product();
    for (;;) {
      if (this.take('+')) value += this.product();
      else if (this.take('-')) value -= this.product();
      else break;
    }
    this.depth--;
    return value;
  }

  private product(): number {
    let value = this.signed();
    for (;;) {
      if (this.take('*')) value *= this.signed();
      else if (this.take('/')) value /= this.signed();
      else return value;
    }
  }

  private signed(): number {
    let sign = 1;
    while (this.take('-')) sign = -sign;
    return sign * this.power();
  }

  private power(): number {
    const base = this.atom();
    return this.take('^') ? base ** this.signed() : base;
  }

  private atom(): number {
    const token = this.tokens[this.at++]!;
    if (token.type === 'number') return token.value;
    if (token.type === 'name')
      return Object.hasOwn(FUNCTIONS, token.text) ? this.call(token.text) : this.lookUp(token.text);
    if (token.type !== 'sign' || token.text !== '(') throw wrong(this.text, 'a number, a name or ( is missing');
    const value = this.sum();
    this.expect(')');
    return value;
  }

  private call(name: string): number {
    this.expect('(');
    const values = [this.sum()];
    while (this.take(',')) values.push(this.sum());
    this.expect(')');
    return FUNCTIONS[name]!(...values);
  }

  private take(sign: string): boolean {
    const token = this.tokens[this.at]!;
    if (token.type !== 'sign' || token.text !== sign) return false;
    this.at++;
    return true;
  }

  private expect(sign: string): void {
    if (!this.take(sign)) throw wrong(this.text, `\`${sign}\` is missing`);
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const [, number, name, sign] = TOKEN.exec(trimmed)!;
    if (number !== undefined) tokens.push({ type: 'number', value: Number(number) });
    else tokens.push(name === undefined ? { type: 'sign', text: sign! } : { type: 'name', text: name });
  }
  return [...tokens, { type: 'end' }];
}

const wrong = (expression: string, why: string) =>
  new InvalidRequestError(`\`${expression}\` cannot be calculated: ${why}.`, { param: 'calculate_output' });
