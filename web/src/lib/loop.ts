// SPDX-License-Identifier: Apache-2.0
// Continuous Training, Continuous Deployment and the verdict on a shadow, in words.
import type { FeedbackLoop } from '../api/learn';
import type { ContinuousDeployment, ContinuousTraining, Policy, ShadowRole, Training, Verdict } from '../api/loop';
import { count, duration, plural } from './format';

export interface Badge {
	word: string;
	tone: 'plain' | 'ok' | 'busy' | 'warn' | 'bad';
}

// ---- times to come

const DAY = 86_400_000;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);

/** "within the hour", "today", "tomorrow", "Thursday", "3 March": as exact as a guess may be. */
export function dayWords(at: string, now: number): string {
	const time = Date.parse(at);
	if (time - now < 3_600_000) return 'within the hour';
	const days = Math.round((midnight(time) - midnight(now)) / DAY);
	const day = new Date(time);
	if (days <= 0) return 'today';
	if (days === 1) return 'tomorrow';
	if (days < 7) return DAYS[day.getDay()] ?? '';
	const date = `${day.getDate()} ${MONTHS[day.getMonth()] ?? ''}`;
	return days < 300 ? date : `${date} ${day.getFullYear()}`;
}

const LENGTHS: readonly (readonly [number, string])[] = [[86_400, 'day'], [3_600, 'hour'], [60, 'minute']];

/** "day", "2 weeks", "36 hours". */
export function everyWords(seconds: number): string {
	const week = 7 * 86_400;
	if (seconds % week === 0) return seconds === week ? 'week' : `${seconds / week} weeks`;
	for (const [length, word] of LENGTHS) if (seconds % length === 0) return seconds === length ? word : plural(seconds / length, word);
	return plural(seconds, 'second');
}

// ---- trainings

export const experimentHref = (training: Pick<Training, 'experiment'>): string => `/experiment/${training.experiment.id}`;

/** "Train 34 %, about 2 min left", "Evaluate". */
export function stageWords(training: Training): string {
	const stage = training.stages.find((s) => s.name === training.stage);
	const title = stage?.title ?? training.stage;
	if (training.stage !== 'train' || training.status !== 'RUNNING') return training.status === 'WAITING' ? 'Waiting' : title;
	const left = training.left_s !== null ? `, about ${duration(training.left_s)} left` : '';
	return `${title} ${Math.floor(100 * training.progress)} %${left}`;
}

/** Of the whole, 0…1: stages done, and the one that runs by its own measure. */
export function wholeProgress(training: Training): number {
	if (training.status === 'SUCCESS') return 1;
	if (training.stages.length === 0) return training.progress;
	// Training takes nearly all of the time; the others share a tenth before and a tenth behind it.
	const at = training.stages.findIndex((s) => s.name === training.stage);
	const train = training.stages.findIndex((s) => s.name === 'train');
	if (at < 0 || train < 0) return 0;
	if (at < train) return (0.1 * at) / train;
	if (at === train) return 0.1 + 0.8 * training.progress;
	return 0.9 + (0.1 * (at - train - 1)) / Math.max(1, training.stages.length - train - 1);
}

/** What became of a training, for a line of its own. */
export function outcomeWords(training: Training): { words: string; tone: 'ok' | 'bad' | 'warn' | 'plain' } {
	const version = training.candidate ? `version ${training.candidate.version}` : 'a new version';
	if (training.status === 'FAILED') return { words: training.error ?? 'It failed.', tone: 'bad' };
	if (training.status === 'CANCELED') return { words: 'It was cancelled.', tone: 'plain' };
	if (training.status !== 'SUCCESS') return { words: stageWords(training), tone: 'plain' };
	if (training.decision) return { words: training.decision.sentence, tone: training.decision.what === 'HELD' ? 'warn' : 'ok' };
	return { words: `It made ${version}.`, tone: 'ok' };
}

// ---- Continuous Training

export function trainingBadge(ct: ContinuousTraining | undefined): Badge {
	switch (ct?.set ? ct.state : 'off') {
		case 'unready': return { word: 'problem', tone: 'bad' };
		case 'paused': return { word: 'paused', tone: 'bad' };
		case 'running': return { word: `working ${Math.floor(100 * (ct?.open ? wholeProgress(ct.open) : 0))} %`, tone: 'busy' };
		case 'counting': return { word: 'on', tone: 'ok' };
		default: return { word: 'off', tone: 'plain' };
	}
}

export const byCount = (ct: ContinuousTraining): boolean => ct.trigger === 'FEEDBACK_LOOP';

/** "43 of 50", or "43" where no number begins a training. */
export const countWords = ({ counts, trigger }: ContinuousTraining): string =>
	trigger === 'FEEDBACK_LOOP' ? `${count(counts.submitted)} of ${count(counts.threshold)}` : count(counts.submitted);

/** "about Thursday at this pace", or null where nobody can tell. */
export function paceWords({ counts, state }: ContinuousTraining, now: number): string | null {
	if (state !== 'counting' || counts.expected_at === null || counts.submitted >= counts.threshold) return null;
	return `about ${dayWords(counts.expected_at, now)} at this pace`.replace('about within', 'within').replace('about today', 'today').replace('about tomorrow', 'tomorrow');
}

/** When it trains, as one sentence. */
export function triggerSentence(setting: { trigger: ContinuousTraining['trigger']; threshold: number; every_s: number | null; on_drift: boolean; drift_images_min: number }): string {
	const least = `with at least ${plural(setting.drift_images_min, 'new review')}`;
	const parts = [
		setting.trigger === 'FEEDBACK_LOOP' ? `after ${plural(setting.threshold, 'submitted review')}` : null,
		setting.every_s !== null ? `every ${everyWords(setting.every_s)} ${least}` : null,
		setting.on_drift ? `when drift is told ${least}` : null,
	].filter((p) => p !== null);
	if (parts.length === 0) return 'It trains only when somebody presses Train now.';
	return `It trains ${parts.join(', or ')}.`;
}

export interface Next {
	words: string;
	href: string | null;
}

/** The one thing to do next, from Continuous Training's side. */
export function trainingNext(ct: ContinuousTraining, cd: ContinuousDeployment | undefined, feedback: FeedbackLoop | undefined, deployment: string): Next {
	const home = `/deployment/${deployment}`;
	if (!ct.set && feedback && !feedback.set_up) return { words: 'set up the Feedback Loop first, which fills the data that is trained on', href: `${home}/settings/feedback` };
	if (!ct.set) return { words: 'check what is filled in below, and set it up', href: null };
	if (ct.state === 'paused') return { words: 'look at what failed, then resume', href: ct.last ? experimentHref(ct.last) : null };
	if (!ct.active) return { words: 'switch it on', href: null };
	if (ct.problems.length > 0) return { words: 'mend what is said above', href: null };
	if (cd && (!cd.set || !cd.active)) return { words: 'say what becomes of the new version', href: `${home}/settings/continuous-deployment` };
	if (ct.open) return { words: 'watch it train', href: experimentHref(ct.open) };
	return { words: 'review more images', href: `${home}/review` };
}

// ---- Continuous Deployment

export function deploymentBadge(cd: ContinuousDeployment | undefined): Badge {
	if (!cd?.set || cd.state === 'off') return { word: 'off', tone: 'plain' };
	return cd.state === 'problem' ? { word: 'problem', tone: 'warn' } : { word: 'on', tone: 'ok' };
}

export const POLICIES: readonly { policy: Policy; title: string; what: string; consequence: string }[] = [
	{
		policy: 'DEPLOY_SHADOW', title: 'Shadow', what: 'It answers the same images behind the champion, unseen by anyone who asks.',
		consequence: 'Nothing changes for your clients. Reviews say which of the two is better; you promote it with one click, or let that happen by itself.',
	},
	{
		policy: 'DEPLOY_CHAMPION', title: 'Champion', what: 'It answers at once, in place of the champion.',
		consequence: 'Your clients get its answers as soon as it is trained. A gate holds back what is measurably worse; one click goes back.',
	},
	{
		policy: 'DEPLOY_MANUAL', title: 'Manual', what: 'It is published under Models, and waits.',
		consequence: 'Nothing is deployed. You look at it, try it, and deploy it when you like.',
	},
];

export const policyTitle = (policy: Policy): string => POLICIES.find((p) => p.policy === policy)?.title ?? policy;

export const points = (share: number): string => `${Number((100 * share).toFixed(1))} points`;

export function deploymentNext(cd: ContinuousDeployment, ct: ContinuousTraining | undefined, deployment: string): Next {
	const home = `/deployment/${deployment}`;
	if (!cd.set) return { words: 'choose what becomes of a new version, and set it up', href: null };
	if (!cd.active) return { words: 'switch it on', href: null };
	if (ct && !ct.set) return { words: 'set up Continuous Training, which makes new versions', href: `${home}/settings/continuous-training` };
	if (ct && !ct.active) return { words: 'switch Continuous Training on', href: `${home}/settings/continuous-training` };
	return { words: 'review images: the rest happens by itself', href: `${home}/review` };
}

// ---- a shadow

export const ROLES: Record<ShadowRole, { word: string; help: string } | null> = {
	HAND: null,
	CANDIDATE: { word: 'candidate', help: 'Continuous Deployment made it a shadow.' },
	HELD: { word: 'held back', help: 'It was to become the champion, and the gate held it back.' },
	FORMER: { word: 'champion before', help: 'It stays as a shadow for a while, so that one sees whether the change was right.' },
};

export const VERDICTS: Record<Verdict['state'], Badge> = {
	better: { word: 'Better', tone: 'ok' },
	unsure: { word: 'Not sure yet', tone: 'plain' },
	worse: { word: 'Worse', tone: 'bad' },
};

/** How far the evidence is on the way to a decision, 0…1: it multiplies, so equal steps are equal factors. */
export const evidenceShare = (e: number, needed: number): number => (e <= 1 ? 0 : Math.min(1, Math.log(e) / Math.log(needed)));

/** "6 to 1": how strongly what reviews said speaks against chance. */
export function oddsWords(e: number): string {
	if (e < 1.05) return 'even';
	return `${e < 9.95 ? Number(e.toFixed(1)) : e < 1000 ? Math.round(e) : '1,000 and more'} to 1`;
}

export function evidenceSentence({ e, e_needed, state, disagreements }: Verdict): string {
	const needed = Math.round(e_needed);
	if (state === 'better') return `The odds that this is no luck reached ${oddsWords(Math.max(e, e_needed))}.`;
	if (state === 'worse') return `The odds that it is worse, and not just unlucky, reached ${needed} to 1.`;
	if (disagreements.reviewed === 0) return `Odds of ${needed} to 1 decide.`;
	return e < 1.05
		? `Nothing speaks for it so far; odds of ${needed} to 1 decide.`
		: `The odds that it is better, and not just lucky, are ${oddsWords(e)}; ${needed} to 1 decides.`;
}

/** Without the word that stands beside it anyway. */
export function verdictWords({ sentence }: Verdict): string {
	const rest = sentence.replace(/^(Better|Worse|Not sure yet): /, '');
	return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** Reviewed none of them yet, also those that are drawn only when somebody comes. */
export const disagreementsLeft = ({ disagreements: d }: Verdict): number => Math.max(d.to_review, d.images - d.sampled + d.to_review, 0);

export const percent = (share: number): string => `${Number((100 * share).toFixed(share > 0.995 && share < 1 ? 1 : 0))} %`;

export const reviewDisagreements = (deployment: string, version: string): string => `/deployment/${deployment}/review?queue=disagreements&version=${version}`;
