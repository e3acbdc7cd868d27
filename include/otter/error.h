/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public codes [XX-YY]: one table for device, tool and documents.
 *
 * XX is the stage or the part that found the fault, YY the detail. Codes 1 to 16
 * keep the numbers of the Flipper updater; codes from 20 up are otter's own. A code
 * never changes its meaning and is never used again for another one. docs/ERRORS.md
 * is printed from this table and compared with it by a test.
 *
 * Columns of a row: name, XX, first YY, last YY, kind, text, remedy.
 * Where first and last differ, YY is the percentage at which the fault was found.
 * Kind: LIVE rows are made by the library, its ports or its tool; RESERVED rows keep
 * a number, most of them of stages that this version does not have, and nothing makes
 * them yet. scripts/check_codes.sh holds both to what the code does.
 */
#ifndef OTTER_ERROR_H
#define OTTER_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
#define OTTER_ERROR_TABLE(X)                                                              \
    /* 1 to 16: the stages of an update */                                                \
    X(TARGET_BUILD,      1, 13, 13, RESERVED, "The updater is built for other hardware",  \
      "Use a package made for this device")                                               \
    X(POINTER,           1, 20, 20, RESERVED, "The saved manifest path cannot be read",   \
      "Check the card and start the update again")                                        \
    X(MANIFEST,          1, 30, 30, RESERVED, "The package cannot be loaded",             \
      "Send the package again")                                                           \
    X(MANIFEST_VERSION,  1, 40, 40, RESERVED, "The package version is not supported",     \
      "Update over an intermediate release")                                              \
    X(MANIFEST_TARGET,   1, 50, 50, RESERVED, "The package is for another hardware target", \
      "Use a package made for this device")                                               \
    X(MANIFEST_DFU,      1, 60, 60, RESERVED, "The firmware file is missing",             \
      "Copy the whole package to the card")                                               \
    X(MANIFEST_RADIO,    1, 80, 80, RESERVED, "The radio firmware file is missing",       \
      "Copy the whole package to the card")                                               \
    X(BACKUP,            2,  0, 100, RESERVED, "Backing up the configuration failed",     \
      "Check the card and its free space, then retry")                                    \
    X(RADIO_READ,        3,  0, 99, RESERVED, "The radio firmware cannot be read",        \
      "Copy the package again")                                                           \
    X(RADIO_CRC,         3, 100, 100, RESERVED, "The radio firmware is damaged",          \
      "Copy the package again")                                                           \
    X(RADIO_DELETE,      4,  0, 79, RESERVED, "The radio refused the delete command",     \
      "Retry the update")                                                                 \
    X(RADIO_DELETE_WAIT, 4, 80, 80, RESERVED, "The radio failed while deleting",          \
      "Retry the update")                                                                 \
    X(RADIO_WRITE,       5,  0, 100, RESERVED, "Writing the radio firmware failed",       \
      "Retry the update")                                                                 \
    X(RADIO_INSTALL,     6, 10, 10, RESERVED, "The radio refused the install command",    \
      "Retry the update")                                                                 \
    X(RADIO_INSTALL_WAIT, 6, 80, 80, RESERVED, "The radio failed while installing",       \
      "Retry the update")                                                                 \
    X(CORE2_START,       7, 10, 10, RESERVED, "The second core did not start",            \
      "Switch the device off and on, then retry")                                         \
    X(CORE2_FUS,         7, 20, 20, RESERVED, "The second core did not enter FUS mode",   \
      "Switch the device off and on, then retry")                                         \
    X(CORE2_OPERATION,   7, 30, 30, RESERVED, "FUS reports an error",                     \
      "Retry the update")                                                                 \
    X(CORE2_STACK,       7, 50, 50, RESERVED, "The second core did not start its stack",  \
      "Install a package with a radio stack")                                             \
    X(OPTION_BYTES,      8,  0, 255, RESERVED, "The option bytes are not as required",    \
      "Retry the update")                                                                 \
    X(CHECK_OPEN,        9,  0,  0, LIVE,     "The stored firmware cannot be opened",     \
      "Send the package again")                                                           \
    X(CHECK_READ,        9,  1, 98, LIVE,     "The stored firmware cannot be read",       \
      "Send the package again; if it repeats, the store's flash is failing")              \
    X(CHECK_DAMAGED,     9, 99, 100, LIVE,    "The stored firmware is damaged",           \
      "Send the package again")                                                           \
    X(WRITE,            10,  0, 100, LIVE,    "Writing flash failed",                     \
      "Retry; if it repeats, the application's flash is failing")                         \
    X(VALIDATE,         11,  0, 100, LIVE,    "The written firmware does not read back",  \
      "Retry; if it repeats, the application's flash is failing")                         \
    X(RESTORE,          12,  0, 100, RESERVED, "Restoring the configuration failed",      \
      "Check the card, then retry")                                                       \
    X(STALE_FILES,      13,  0, 100, RESERVED, "Removing stale files failed",             \
      "Check the card, then retry")                                                       \
    X(STALE_DIRS,       14,  0, 100, RESERVED, "Removing stale directories failed",       \
      "Check the card, then retry")                                                       \
    X(UNPACK,           15,  0, 100, LIVE,    "Unpacking resources, fonts or files failed", \
      "Remove what else has a file's name on the card, then retry; if it repeats, flash or card fails") \
    X(SPLASH,           16,  0, 100, RESERVED, "Installing the splash screen failed",     \
      "Retry the update")                                                                 \
    /* 20: the package file */                                                            \
    X(PACKAGE_MAGIC,    20, 10, 10, LIVE, "Not an otter package: the image header's magic is wrong", \
      "Check that the file is a .otter package")                                          \
    X(PACKAGE_HEADER,   20, 11, 11, LIVE, "The package's image header is not valid",      \
      "Make the package again with otter pack")                                           \
    X(PACKAGE_LENGTH,   20, 12, 12, LIVE, "The package's length is not the one its control packet names", \
      "Get the whole file again")                                                         \
    X(PACKAGE_TRUNCATED, 20, 13, 13, LIVE, "The package ends too early",                  \
      "Get the whole file again")                                                         \
    X(PACKAGE_TRAILER,  20, 14, 14, LIVE, "The package's trailer is not one SHA-256 entry", \
      "Make the package again with otter pack")                                           \
    X(PACKAGE_HASH,     20, 15, 15, LIVE, "The package's hash does not match its content", \
      "Get the file again")                                                               \
    X(MEMBER_HASH,      20, 16, 16, LIVE, "A member's hash does not match its content",   \
      "Get the file again")                                                               \
    /* 21: the control packet */                                                          \
    X(CONTROL_MAGIC,    21, 10, 10, LIVE, "The control packet's magic is wrong",          \
      "Check that the file is a .otter package")                                          \
    X(CONTROL_VERSION,  21, 11, 11, LIVE, "The control packet's format version is not supported", \
      "Update the manager first, or use a package in format 1")                           \
    X(CONTROL_LENGTH,   21, 12, 12, LIVE, "The control packet's length is not valid",     \
      "Make the package again with otter pack")                                           \
    X(CONTROL_HEADER,   21, 13, 13, LIVE, "The control packet belongs to another image header", \
      "Make the package again with otter pack")                                           \
    X(CONTROL_COUNT,    21, 14, 14, LIVE, "The control packet has no members or too many", \
      "Pack fewer members")                                                               \
    X(CONTROL_MEMBER,   21, 15, 15, LIVE, "A member's entry is not valid",                \
      "Make the package again with otter pack")                                           \
    X(CONTROL_DOUBLED,  21, 16, 16, LIVE, "Two members have the same role and region",    \
      "Pack each member once")                                                            \
    X(CONTROL_MISSING,  21, 17, 17, LIVE, "The package names no firmware, manager or table of its system", \
      "Pack or keep every member of the system")                                          \
    X(CONTROL_TLV,      21, 18, 18, LIVE, "An extension of the control packet is malformed", \
      "Make the package again with otter pack")                                           \
    X(CONTROL_CRITICAL, 21, 19, 19, LIVE, "The package needs an extension that this program does not know", \
      "Update the manager first")                                                         \
    X(CONTROL_TEXT,     21, 20, 20, LIVE, "A text of the control packet is too long or not UTF-8", \
      "Correct the text and pack again")                                                  \
    X(CONTROL_CODING,   21, 21, 21, LIVE, "A member's coding is not supported by this device", \
      "Pack the member in a coding that the device takes: otter pack --coding")           \
    X(CONTROL_FLAGS,    21, 22, 22, LIVE, "A member's flags are not supported by this device", \
      "Make the package again for this device")                                           \
    X(CONTROL_RESERVED, 21, 23, 23, LIVE, "A reserved field of the control packet is not zero", \
      "Make the package again with otter pack")                                           \
    X(CONTROL_ORDER,    21, 24, 24, LIVE, "A member that is stored follows one that is written in place", \
      "Pack members in place last")                                                       \
    X(CONTROL_ROOT,     21, 25, 25, LIVE, "The folder of a package's files is missing, or its name is not valid", \
      "Name a folder of the card that is not otter's: root=")                             \
    /* 22: signatures and keys */                                                         \
    X(SIGNATURE_NONE,   22, 10, 10, LIVE, "The package is not signed",                    \
      "Sign it with a key that the device trusts")                                        \
    X(SIGNATURE_KEY,    22, 11, 11, LIVE, "The package is signed with a key that the device does not trust", \
      "Sign it with a key that the device trusts")                                        \
    X(SIGNATURE_BAD,    22, 12, 12, LIVE, "The signature is wrong: the package was changed or forged", \
      "Get the package from its maker again")                                             \
    X(SIGNATURE_FORM,   22, 13, 13, LIVE, "A signature's entry is malformed or of an unknown kind", \
      "Sign with ECDSA P-256")                                                            \
    X(SIGNATURE_REVOKED, 22, 14, 14, LIVE, "The package is signed with a revoked key",    \
      "Sign it with a current key")                                                       \
    X(SIGNATURE_OWN,    22, 15, 15, LIVE, "The package takes the trust from every key that signed it", \
      "Sign it with a key that stays trusted, too: otter pack --key")                     \
    X(KEY_LAST,         22, 16, 16, LIVE, "The package leaves no key that the device trusts", \
      "Bring another key with --table-keys, or revoke less")                              \
    /* 23: does the package fit this device? */                                           \
    X(TARGET,           23, 10, 10, LIVE, "The package is for another device",            \
      "Use a package made for this target")                                               \
    X(HARDWARE,         23, 11, 11, LIVE, "The package is for other hardware revisions",  \
      "Use a package made for this revision")                                             \
    X(COUNTER,          23, 12, 12, LIVE, "The package is older than the device's security counter", \
      "Use a newer package")                                                              \
    X(FOLLOWS,          23, 13, 13, LIVE, "The installed version is too old for this package", \
      "Install the intermediate version first")                                           \
    X(BOOT_TOO_OLD,     23, 14, 14, LIVE, "The package needs a newer boot program",       \
      "This device cannot take the package")                                              \
    X(MANAGER_TOO_OLD,  23, 15, 15, LIVE, "The package needs a newer manager",            \
      "Update the manager first")                                                         \
    X(LINK_ADDRESS,     23, 16, 16, LIVE, "A program is linked for another address than the one where it runs", \
      "Link it for its region; with two slots send the image for the one that otter status names free") \
    X(VECTORS,          23, 17, 17, LIVE, "A program's stack pointer or reset vector lies outside its memory", \
      "Link the program for this device")                                                 \
    X(KEPT,             23, 18, 18, LIVE, "A member that the package keeps is not the one on the device", \
      "Make the package with --follow for the system on the device, or carry the member") \
    X(TOO_LARGE,        23, 19, 19, LIVE, "A member is larger than its region",           \
      "Make the image smaller")                                                           \
    X(NO_SPACE,         23, 20, 20, LIVE, "No space for the package and the copy of the old system", \
      "Make the package smaller")                                                         \
    X(REGION,           23, 21, 21, LIVE, "A member names a region that the device does not have", \
      "Use a package made for this device")                                               \
    X(STRATEGY,         23, 22, 22, LIVE, "The device has no way to install a member of this role", \
      "Leave the member out, but carry the firmware")                                     \
    X(POSTPONED,        23, 23, 23, LIVE, "The application does not allow an update now", \
      "Try again later; charge the battery")                                              \
    X(IN_PLACE_ROLE,    23, 24, 24, LIVE, "Only resources and fonts can be written in place", \
      "Pack the member without in-place")                                                 \
    X(IN_PLACE_MANAGER, 23, 25, 25, LIVE, "A package that writes in place carries no manager", \
      "Bring the manager in a package of its own, first")                                 \
    /* 24: encryption */                                                                  \
    X(WRAP_FORM,        24, 10, 10, LIVE, "The package's key wraps are malformed, or do not fit its members", \
      "Make the package again with otter pack")                                           \
    X(KEY_MISSING,      24, 11, 11, LIVE, "The package is not encrypted for any key of this device", \
      "Pack it again with --encrypt-to a key of this device")                             \
    X(KEY_WRONG,        24, 12, 12, LIVE, "The package's content key cannot be unwrapped with this device's key", \
      "Pack it again with --encrypt-to the right key")                                    \
    X(KEY_REVOKED,      24, 13, 13, LIVE, "The package is encrypted for a key that the device must not use any more", \
      "Pack it again with --encrypt-to a current key")                                    \
    X(WRAP_DAMAGED,     24, 14, 14, LIVE, "The package's key wrap holds no point of the curve", \
      "Make the package again with otter pack")                                           \
    X(CANNOT_DECRYPT,   24, 15, 15, LIVE, "This device cannot decrypt",                   \
      "Pack the member without encryption, or update the manager first")                  \
    X(STORAGE_KEY,      24, 16, 16, LIVE, "The device has no key to encrypt the copy of an encrypted system", \
      "Give the device a storage key at the factory, or set its policy to clear copies")  \
    X(DECRYPTED_HASH,   24, 17, 17, LIVE, "A member's decrypted content does not match its hash", \
      "Make the package again with otter pack")                                           \
    /* 25: receiving */                                                                   \
    X(RECEIVE_OFFSET,   25, 10, 10, LIVE, "The data is not the next part of the package", \
      "Ask for the position and go on from there")                                        \
    X(RECEIVE_OVERRUN,  25, 11, 11, LIVE, "More data than the package's length",          \
      "Start the transfer again")                                                         \
    X(RECEIVE_NONE,     25, 12, 12, RESERVED, "No transfer is going on",                  \
      "Start the transfer at offset 0")                                                   \
    X(LOCKED,           25, 13, 13, LIVE, "An update is under way: the store is locked",  \
      "Wait until it is confirmed or rolled back")                                        \
    X(POLICY,           25, 14, 14, LIVE, "The device's policy does not allow this",      \
      "Use the way that the policy leaves open")                                          \
    X(NOT_COMPLETE,     25, 15, 15, LIVE, "No complete package is stored",                \
      "Send the package first")                                                           \
    X(OTHER_PACKAGE,    25, 16, 16, LIVE, "The stored package is not the one named",      \
      "Send the package first")                                                           \
    X(LINK_TIMEOUT,     25, 17, 17, LIVE, "No transfer came in time",                     \
      "Send the package within the waiting time")                                         \
    X(BUSY,             25, 18, 18, LIVE, "The device is busy",                           \
      "Try again in a moment")                                                            \
    X(NEEDS_MANAGER,    25, 19, 19, LIVE, "The package writes a member in place: only the manager receives it", \
      "Ask for the manager and send it there: otter send does so by itself")              \
    /* 26: flash */                                                                       \
    X(FLASH_READ,       26, 10, 10, LIVE, "Flash cannot be read",                         \
      "Retry; if it repeats, the flash is failing")                                       \
    X(FLASH_PROGRAM,    26, 11, 11, LIVE, "Flash cannot be programmed",                   \
      "Retry; if it repeats, the flash is failing")                                       \
    X(FLASH_ERASE,      26, 12, 12, LIVE, "A flash sector cannot be erased",              \
      "Retry; if it repeats, the flash is failing")                                       \
    X(FLASH_VERIFY,     26, 13, 13, LIVE, "Flash does not hold what was written",         \
      "Retry; if it repeats, the flash is failing")                                       \
    X(FLASH_BOUNDS,     26, 14, 14, LIVE, "An access outside its region was refused",     \
      "Report this: it is a defect of the program")                                       \
    X(FLASH_FORBIDDEN,  26, 15, 15, LIVE, "This program may not write that region",       \
      "Report this: it is a defect of the program")                                       \
    /* 27: journal */                                                                     \
    X(JOURNAL_LOST,     27, 10, 10, LIVE, "The journal was lost and rebuilt from the receipts", \
      "Install the package again if it is not there; if it repeats, the journal's flash is failing") \
    X(JOURNAL_SECTORS,  27, 11, 11, LIVE, "No journal sector can be written",             \
      "Reset the device; if it comes again, the journal's flash is worn out")             \
    X(JOURNAL_EXHAUSTED, 27, 12, 12, LIVE, "The journal's sequence numbers are used up",  \
      "This device cannot be updated any more")                                           \
    X(JOURNAL_TRANSITION, 27, 13, 13, LIVE, "That change of state is not allowed here",   \
      "Ask for the status and follow the update's order")                                 \
    X(JOURNAL_CRITICAL, 27, 14, 14, LIVE, "The journal holds an extension that this program does not know", \
      "Let the newer manager finish the update")                                          \
    X(JOURNAL_EMPTY,    27, 15, 15, RESERVED, "The journal holds no state",               \
      "Write the factory image")                                                          \
    /* 28: flash table and map */                                                         \
    X(TABLE_LOST,       28, 10, 10, LIVE, "Neither copy of the flash table can be read",  \
      "Write the factory image")                                                          \
    X(TABLE_VERSION,    28, 11, 11, LIVE, "The flash table's format version is not supported", \
      "Write the factory image")                                                          \
    X(TABLE_FORM,       28, 12, 12, LIVE, "The flash table is malformed",                 \
      "Make the package again; if none was sent, write the factory image")                \
    X(TABLE_COPY,       28, 13, 13, LIVE, "One copy of the flash table is damaged",       \
      "Nothing to do: the manager rewrites it")                                           \
    X(MAP_OVERLAP,      28, 14, 14, LIVE, "Two regions of the map overlap",               \
      "Correct custom_memory_map.h")                                                      \
    X(MAP_ALIGNMENT,    28, 15, 15, LIVE, "A region does not begin and end at a sector",  \
      "Correct custom_memory_map.h")                                                      \
    X(MAP_MISSING,      28, 16, 16, LIVE, "A region that the profile needs is missing or too small", \
      "Correct custom_memory_map.h")                                                      \
    X(TABLE_OTHER,      28, 17, 17, LIVE, "The package's flash table is for another device, or has other regions", \
      "Make the table from the device's own: otter pack --follow --table-keys")           \
    X(TABLE_ROOM,       28, 18, 18, LIVE, "The device has no room for another flash table", \
      "Revoke keys instead; other ones need a table's region of four sectors or more")    \
    /* 29: receipts */                                                                    \
    X(RECEIPT_LOST,     29, 10, 10, LIVE, "Neither copy of the receipt can be read",      \
      "Start the manager and send the package again")                                     \
    X(RECEIPT_COPY,     29, 11, 11, LIVE, "One copy of a receipt is damaged",             \
      "Nothing to do: the manager rewrites it")                                           \
    /* 30: boot */                                                                        \
    X(BOOT_NOTHING,     30, 10, 10, LIVE, "Nothing on this device verifies",              \
      "Write the factory image")                                                          \
    X(BOOT_APPLICATION, 30, 11, 11, LIVE, "The application does not match its receipt",   \
      "Send the package again")                                                           \
    X(BOOT_MANAGER,     30, 12, 12, LIVE, "The manager does not match any receipt",       \
      "Write the factory image while the application still runs")                         \
    X(BOOT_RESOURCES,   30, 13, 13, LIVE, "Resources or a font do not match their receipt", \
      "Send the package again")                                                           \
    X(BOOT_LOADER,      30, 14, 14, LIVE, "The package's loader cannot be run",           \
      "Nothing to do: the manager installs; look at the card if it happens again")        \
    X(BOOT_CLOSED,      30, 15, 15, LIVE, "The application is closed: no system is whole", \
      "Send the package to the manager again, or put it on the card")    \
    /* 31: trial and roll back */                                                         \
    X(TRIAL_FAULTS,     31, 10, 10, LIVE, "The new system failed too often and was rolled back", \
      "Correct the firmware and send a new version")                                      \
    X(TRIAL_POWER,      31, 11, 11, LIVE, "The new system lost power too often and was rolled back", \
      "Check the supply, then send the package again")                                    \
    X(TRIAL_DEADLINE,   31, 12, 12, LIVE, "The new system did not confirm in time",       \
      "Correct the firmware and send a new version")                                      \
    X(ROLL_BACK,        31, 13, 13, LIVE, "The old system could not be brought back",     \
      "Send a package to the manager")                                                    \
    X(TRIAL_DAMAGED,    31, 14, 14, LIVE, "The new system was damaged in its trial and was rolled back", \
      "Send the package again")                                                           \
    X(ONE_WAY,          31, 15, 15, LIVE, "The new system failed, and there was no system to go back to", \
      "Correct the firmware and give it to the manager together with every member that failed") \
    /* 32: the copy of the old system */                                                  \
    X(SAVE_READ,        32, 10, 10, LIVE, "The old system cannot be read for its copy",   \
      "Retry the update")                                                                 \
    X(SAVE_WRITE,       32, 11, 11, LIVE, "The copy of the old system cannot be written", \
      "Retry; if it repeats, the store's flash is failing")                               \
    X(SAVE_DAMAGED,     32, 12, 12, LIVE, "The copy of the old system does not match its receipt", \
      "Retry the update")                                                                 \
    /* 33: SMP messages */                                                                \
    X(SMP_FRAME,        33, 10, 10, LIVE, "An SMP frame is shorter or longer than its header says", \
      "Check the client and the link")                                                    \
    X(SMP_OPERATION,    33, 11, 11, LIVE, "An SMP frame's operation or version is not known", \
      "Check the client")                                                                 \
    X(SMP_CBOR,         33, 12, 12, LIVE, "An SMP frame's content is not valid CBOR",     \
      "Check the client")                                                                 \
    X(SMP_FIELD,        33, 13, 13, LIVE, "A field of an SMP request is missing or of the wrong kind", \
      "Check the client")                                                                 \
    X(SMP_COMMAND,      33, 14, 14, LIVE, "The device does not serve this SMP command",   \
      "Use a command that it serves")                                                     \
    X(SMP_SPACE,        33, 15, 15, LIVE, "An SMP message does not fit its buffer",       \
      "Use smaller messages: ask for the device's buffer size")                           \
    /* 34: replacing the manager */                                                       \
    X(MANAGER_SAVE,     34, 10, 10, LIVE, "The old manager cannot be saved",              \
      "Retry; if it repeats, the store's flash is failing")                               \
    X(MANAGER_ALONE,    34, 11, 11, LIVE, "The manager is not replaced while the application is damaged or closed", \
      "Send a package first that keeps the manager, or carries the one on the device")    \
    X(MANAGER_WRITE,    34, 12, 12, LIVE, "The new manager could not be written and the old one was taken back", \
      "Retry; if it repeats, the manager's flash is failing")                             \
    X(MANAGER_START,    34, 13, 13, LIVE, "The new manager did not start and the old one was taken back", \
      "Correct the manager and send a new package")                                       \
    X(MANAGER_OLDER,    34, 14, 14, LIVE, "The package carries an older manager than the device has", \
      "Keep the manager, or carry a newer one")                                           \
    X(MANAGER_OTHER,    34, 15, 15, LIVE, "The old manager could not come back: the one on the device is that of a package that failed", \
      "Send a package that keeps the manager on the device, or carries the same one")     \
    /* 35: codings */                                                                     \
    X(CODING_MEMORY,    35, 10, 10, LIVE, "A member's coding needs more memory than the device has", \
      "Pack the member with a smaller window, or raw: otter pack --coding-memory")        \
    X(CODING_HEAD,      35, 11, 11, LIVE, "The head of a coded member is malformed",      \
      "Make the package again with otter pack")                                           \
    X(CODING_SHORT,     35, 12, 12, LIVE, "A coded member ends before all of it is decoded", \
      "Make the package again with otter pack")                                           \
    X(CODING_LONG,      35, 13, 13, LIVE, "A coded member goes on after all of it is decoded", \
      "Make the package again with otter pack")                                           \
    X(CODING_DATA,      35, 14, 14, LIVE, "A coded member is malformed",                  \
      "Make the package again with otter pack")                                           \
    X(CODING_DECLARED,  35, 15, 15, LIVE, "A coded member needs more memory than its entry declares", \
      "Make the package again with otter pack")                                           \
    X(CODING_HASH,      35, 16, 16, LIVE, "A coded member decodes to other content than its hash names", \
      "Make the package again with otter pack")                                            \
    X(CODING_IN_PLACE,  35, 17, 17, LIVE, "A coded member cannot be written in place",    \
      "Pack the member raw: coding=raw")                                                  \
    /* 36: the card */                                                                    \
    X(CARD_NONE,        36, 10, 10, LIVE, "There is no card, or it was pulled out",       \
      "Put the card back: the update goes on by itself; if the old system runs again, start it once more") \
    X(CARD_NOT_FOUND,   36, 11, 11, LIVE, "The file is not on the card",                  \
      "Copy the package to the card, or name the right file")                             \
    X(CARD_FULL,        36, 12, 12, LIVE, "The card has no room for what the update needs", \
      "Remove files from the card, then start the update again")                          \
    X(CARD_READ,        36, 13, 13, LIVE, "The card cannot be read",                      \
      "Retry; if it repeats, use another card")                                           \
    X(CARD_WRITE,       36, 14, 14, LIVE, "The card cannot be written",                   \
      "Retry; if it repeats, use another card")                                           \
    X(CARD_NAME,        36, 15, 15, LIVE, "The file's name is too long or leaves the card's root", \
      "Use a name of at most 127 bytes without \"..\"")                                   \
    X(CARD_POINTER,     36, 16, 16, LIVE, "The card does not say where the package lies", \
      "Put back the first card, or put the same package into the folder update")          \
    X(CARD_OTHER,       36, 17, 17, LIVE, "The package on the card is not the one that was requested", \
      "Put back the first card, or put the same package into the folder update")          \
    X(CARD_ONLY,        36, 18, 18, LIVE, "The device installs from its card only",       \
      "Copy the package to the card")                                                     \
    X(CARD_SAVED,       36, 19, 19, LIVE, "The copy of the old system on the card is missing or damaged", \
      "Put back the first card, or put the package of the old system into the folder update") \
    X(CARD_TREE,        36, 20, 20, LIVE, "The archive of the installed files on the card is missing or damaged", \
      "Install a package that carries the files")                                         \
    X(CARD_INSIDE,      36, 21, 21, LIVE, "The package lies in the folder that it replaces", \
      "Copy the package to another folder of the card")                                   \
    X(CARD_OLDER,       36, 22, 22, LIVE, "The package on the card is older than the system of the device", \
      "Copy a newer package to the card; to take this one, pull the card out and put it back") \
    /* 37: replacing the flash table */                                                  \
    X(TABLE_WRITE,      37, 10, 10, LIVE, "The new flash table cannot be written",        \
      "Retry; if it repeats, the table's flash is failing")                               \
    /* 38: archives of files */                                                           \
    X(TAR_FORMAT,       38, 10, 10, LIVE, "An archive's header is not that of a ustar",   \
      "Make the archive with otter pack, or with tar --format=ustar")                     \
    X(TAR_CHECKSUM,     38, 11, 11, LIVE, "The checksum of an archive's header is wrong", \
      "Make the archive again")                                                           \
    X(TAR_NUMBER,       38, 12, 12, LIVE, "A size in an archive is no octal number",      \
      "Make the archive with otter pack, or with tar --format=ustar")                     \
    X(TAR_NAME,         38, 13, 13, LIVE, "A name in an archive leaves its root, or no card takes it", \
      "Give the file another name")                                                       \
    X(TAR_LONG,         38, 14, 14, LIVE, "A name in an archive is too long",             \
      "Shorten it: 126 bytes together with the folder's name")                            \
    X(TAR_TYPE,         38, 15, 15, LIVE, "An archive holds something that is neither a file nor a folder", \
      "Leave links and devices out")                                                      \
    X(TAR_ORDER,        38, 16, 16, LIVE, "Names in an archive are doubled or not in order", \
      "Make the archive with otter pack, or with tar --sort=name")                        \
    X(TAR_FOLDER,       38, 17, 17, LIVE, "A file stands in an archive before its folder", \
      "Make the archive with otter pack")                                                 \
    X(TAR_SIZE,         38, 18, 18, LIVE, "A size in an archive goes beyond its end",     \
      "Make the archive again")                                                           \
    X(TAR_END,          38, 19, 19, LIVE, "An archive has no end, or goes on behind it",  \
      "Make the archive again")

/* One number for result and code: the negative of XX * 256 + YY; 0 is success. */
enum otter_result {
    OTTER_OK = 0,
#define OTTER_ERROR_ENUM(name, xx, first, last, kind, text, remedy) \
    OTTER_E_##name = -((xx) * 256 + (first)),
    OTTER_ERROR_TABLE(OTTER_ERROR_ENUM)
#undef OTTER_ERROR_ENUM
};
/* clang-format on */

/* A call whose result is ignored is a defect. */
#if defined(__GNUC__)
#define OTTER_MUST_CHECK __attribute__((warn_unused_result))
#else
#define OTTER_MUST_CHECK
#endif

enum otter_error_kind { OTTER_ERROR_LIVE, OTTER_ERROR_RESERVED };

/* A row of the table. Strings live for ever, in ASCII. */
struct otter_error {
    const char *name;
    uint8_t stage; /* XX */
    uint8_t first; /* YY from ... */
    uint8_t last;  /* ... to, inclusive */
    enum otter_error_kind kind;
    const char *text;
    const char *remedy;
};

/* The public code of a result: XX * 256 + YY; 0 for OTTER_OK. */
static inline uint16_t otter_code(enum otter_result result)
{
    return (uint16_t)(-(int)result);
}

/* The result that a stored public code stands for; any 16-bit value is allowed. */
static inline enum otter_result otter_result_of(uint16_t code)
{
    return (enum otter_result)(-(int)code);
}

/* The result `base` with the detail `yy`, a percentage, held inside the row's range. */
enum otter_result otter_error_at(enum otter_result base, uint8_t yy);

/* The row that holds `code`, or NULL if there is none. */
const struct otter_error *otter_error_find(uint16_t code);

/* Row `index` of the table, or NULL past its end. Rows are in code order. */
const struct otter_error *otter_error_row(size_t index);

#ifdef __cplusplus
}
#endif

#endif
