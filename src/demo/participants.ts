/** Who takes part in the demonstration. The clients bear the names of their institutions. */
export const INSTITUTIONS = ['hospital-a', 'hospital-b', 'research-institute'] as const;
export type DemoInstitution = (typeof INSTITUTIONS)[number];

export interface Participant {
  readonly id: DemoInstitution;
  readonly scopes: readonly string[];
  readonly purposes: readonly string[];
}

export const PARTICIPANTS: readonly Participant[] = [
  { id: 'hospital-a', scopes: ['system/*.cruds'], purposes: ['TREAT'] },
  { id: 'hospital-b', scopes: ['system/*.cruds'], purposes: ['TREAT'] },
  { id: 'research-institute', scopes: ['system/*.rs'], purposes: ['HRESCH'] },
];
