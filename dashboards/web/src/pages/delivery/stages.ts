// The steps whose duration is measured (contract 4.3), in the order in which they happen.

export const STAGES = [
  { name: 'sent_to_accepted', label: 'sent → accepted', says: 'the push service’s answer' },
  { name: 'accepted_to_received', label: 'accepted → received', says: 'the push on its way to the device' },
  { name: 'sent_to_received', label: 'sent → received', says: 'the whole way of the push' },
  { name: 'received_to_reported', label: 'received → reported', says: 'the app’s work before it rings' },
  { name: 'initiated_to_reported', label: 'initiated → reported', says: 'post-dial delay' },
  { name: 'reported_to_answered', label: 'reported → answered', says: 'ring time' },
  { name: 'answered_to_audio', label: 'answered → audio', says: 'until the two hear each other' },
] as const;

/** The step that is shown in full where nothing else is chosen. */
export const STANDARD = 'sent_to_received';

export type StageName = (typeof STAGES)[number]['name'];

export function stageLabel(name: string): string {
  return STAGES.find((stage) => stage.name === name)?.label ?? name.replaceAll('_', ' ');
}
