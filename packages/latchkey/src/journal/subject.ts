const ofOwner = 'owner:'

/** The journal's name for an owner. */
export function subjectOfOwner(owner: string): string {
  return ofOwner + owner
}

/** The owner that a subject names. */
export function ownerOfSubject(subject: string): string {
  return subject.slice(ofOwner.length)
}

/** Whether a subject is an owner, and no key. */
export function isOwner(subject: string): boolean {
  return subject.startsWith(ofOwner)
}

/** The subject of an entry on rows that were deleted because they were old: no key has such an id. */
export const retentionSubject = 'retention'
