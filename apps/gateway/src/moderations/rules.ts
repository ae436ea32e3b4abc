import type { ModerationCategory } from '@attune/contracts';

/** A pattern in lower-case text and how surely it speaks of its category, 0 to 1. */
export interface ModerationRule {
  readonly category: ModerationCategory;
  readonly pattern: string;
  readonly weight: number;
}

const YOU = '(?:you|u|him|her|them|he|she|they|everyone|somebody|someone)';
const GROUP =
  '(?:jews?|muslims?|christians?|blacks?|whites?|asians?|arabs?|immigrants?|refugees?|foreigners?|gays?|lesbians?|trans(?: people)?|women|men|disabled(?: people)?)';

const rule = (category: ModerationCategory, weight: number, pattern: string): ModerationRule => ({
  category,
  weight,
  pattern,
});

/**
 * The rules every installation starts with: few, plain and for English. They catch what says so outright, not what is
 * meant between the lines; an organisation puts its own in MODERATION_RULES.
 */
export const bundledRules: readonly ModerationRule[] = [
  rule(
    'harassment',
    0.8,
    `\\b${YOU}(?:'re| are|r)? (?:an? )?(?:(?:fucking|stupid|worthless|pathetic) )*(?:idiot|moron|loser|bitch|bastard|scum|trash)\\b`,
  ),
  rule('harassment', 0.7, `\\b(?:shut up|fuck (?:off|you)|go to hell|nobody likes you)\\b`),
  rule(
    'harassment/threatening',
    0.95,
    `\\b(?:i|we)(?:'ll| will| am going to|'m going to| gonna)\\b.{0,20}\\b(?:kill|hurt|stab|shoot|beat|find) (?:you|u)\\b`,
  ),
  rule(
    'hate',
    0.9,
    `\\b${GROUP} (?:are|r) (?:all )?(?:inferior|subhuman|vermin|animals|parasites|scum|filth|criminals|disgusting)\\b`,
  ),
  rule('hate', 0.85, `\\b(?:i |we )?(?:hate|despise) (?:all )?(?:the )?${GROUP}\\b`),
  rule(
    'hate/threatening',
    0.97,
    `\\b(?:kill|exterminate|gas|wipe out|burn|lynch|shoot) (?:all )?(?:the |of the )?${GROUP}\\b`,
  ),
  rule(
    'illicit',
    0.85,
    `\\bhow (?:do i|to|can i)\\b.{0,30}\\b(?:make|cook|synthesi[sz]e|buy)\\b.{0,20}\\b(?:meth(?:amphetamine)?|heroin|cocaine|fentanyl|counterfeit money)\\b`,
  ),
  rule(
    'illicit',
    0.8,
    `\\bhow (?:do i|to|can i)\\b.{0,20}\\b(?:launder money|steal a (?:car|credit card|identity)|shoplift|hack into|pick a lock on someone)\\b`,
  ),
  rule(
    'illicit/violent',
    0.95,
    `\\bhow (?:do i|to|can i)\\b.{0,30}\\b(?:build|make|assemble|plant)\\b.{0,20}\\b(?:pipe ?bombs?|bombs?|explosives?|molotov|ghost gun|nerve gas|ricin)\\b`,
  ),
  rule('self-harm', 0.8, `\\b(?:suicid(?:e|al)|self[- ]harm|cut(?:ting)? myself|end(?:ing)? my (?:own )?life)\\b`),
  rule(
    'self-harm/intent',
    0.95,
    `\\bi(?:'m| am)? (?:want(?:ed)? to|going to|gonna|will|plan to|wish to) (?:die|kill myself|end (?:it all|my life)|hurt myself|cut myself)\\b`,
  ),
  rule(
    'self-harm/instructions',
    0.95,
    `\\b(?:how|best way|easiest way|painless way)\\b.{0,30}\\b(?:kill (?:my|your)self|commit suicide|overdose|hang (?:my|your)self)\\b`,
  ),
  rule(
    'sexual',
    0.8,
    `\\b(?:porn(?:o|ography)?|blow ?jobs?|hand ?jobs?|orgasms?|masturbat\\w+|erotic(?:a)?|nsfw|have sex with me|sexually explicit)\\b`,
  ),
  rule(
    'sexual/minors',
    0.99,
    `\\b(?:sex|sexual|nude|naked|porn\\w*|erotic)\\b.{0,40}\\b(?:child(?:ren)?|kids?|minors?|underage|(?:1[0-7]|[1-9])[- ]?(?:years?[- ]old|yo))\\b`,
  ),
  rule(
    'sexual/minors',
    0.99,
    `\\b(?:child(?:ren)?|kids?|minors?|underage|(?:1[0-7]|[1-9])[- ]?(?:years?[- ]old|yo))\\b.{0,40}\\b(?:sexual(?:ly)?|nude|naked|porn\\w*|erotic)\\b`,
  ),
  rule(
    'violence',
    0.75,
    `\\b(?:murder|slaughter|massacre|tortur|behead|stabb?|strangl|shoot|shot)(?:e?s|e?d|ing|e)?\\b.{0,20}\\b${YOU}\\b`,
  ),
  rule('violence', 0.7, `\\b(?:kill|killing|killed) (?:${YOU}|people)\\b`),
  rule(
    'violence/graphic',
    0.85,
    `\\b(?:blood (?:everywhere|spray\\w+|gush\\w+)|guts (?:spill\\w+|hanging)|severed (?:head|limb|arm|leg)s?|disembowel\\w+|dismember\\w+|gore)\\b`,
  ),
];
