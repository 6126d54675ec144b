/* nfc.h: Unicode Normalization Form C (UAX #15), which LIKE and MATCHES of STIX patterns require (s.9.6.3).
 */
#ifndef DM_HUNT_NFC_H
#define DM_HUNT_NFC_H

#include "base/alloc.h"
#include "base/sv.h"

/* *ret: s itself where nothing changes, else a copy in the arena. s must be valid UTF-8. False when out of
 * memory. */
bool dm_nfc(struct dm_arena *arena, struct dm_sv s, struct dm_sv *ret);

#endif
