//! The block cipher DES (FIPS 46-3), which VNC authentication uses. Tables instead of code keep it short, because pages download it.

/// The tables contain the positions of bits, counted from 1 at the highest bit.
const INITIAL: [u8; 64] = [
    58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48,
    40, 32, 24, 16, 8, 57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21,
    13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
];
const KEY: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44,
    36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20,
    12, 4,
];
const ROUND_KEY: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37,
    47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
const MIX: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6,
    22, 11, 4, 25,
];
/// The S-boxes: four rows of sixteen numbers with four bits.
const BOXES: [[u64; 4]; 8] = [
    [0xe4d1_2fb8_3a6c_5907, 0x0f74_e2d1_a6cb_9538, 0x41e8_d62b_fc97_3a50, 0xfc82_4917_5b3e_a06d],
    [0xf18e_6b34_972d_c05a, 0x3d47_f28e_c01a_69b5, 0x0e7b_a4d1_58c6_932f, 0xd8a1_3f42_b67c_05e9],
    [0xa09e_63f5_1dc7_b428, 0xd709_346a_285e_cbf1, 0xd649_8f30_b12c_5ae7, 0x1ad0_6987_4fe3_b52c],
    [0x7de3_069a_1285_bc4f, 0xd8b5_6f03_472c_1ae9, 0xa690_cb7d_f13e_5284, 0x3f06_a1d8_945b_c72e],
    [0x2c41_7ab6_853f_d0e9, 0xeb2c_47d1_50fa_3986, 0x421b_ad78_f9c5_630e, 0xb8c7_1e2d_6f09_a453],
    [0xc1af_9268_0d34_e75b, 0xaf42_7c95_61de_0b38, 0x9ef5_28c3_704a_1db6, 0x432c_95fa_be17_608d],
    [0x4b2e_f08d_3c97_5a61, 0xd0b7_491a_e35c_2f86, 0x14bd_c37e_af68_0592, 0x6bd8_14a7_950f_e23c],
    [0xd284_6fb1_a93e_50c7, 0x1fd8_a374_c56b_0e92, 0x7b41_9ce2_06ad_f358, 0x21e7_4a8d_fc90_356b],
];
/// The bits of a round key that leave their half of 28 bits when both halves rotate.
const WITHOUT_CARRY: u64 = 0xff_ffff_efff_fffe;

/// Encrypts a block.
pub(super) fn encrypt(key: [u8; 8], block: [u8; 8]) -> [u8; 8] {
    let mut key = permute(u64::from_be_bytes(key), 64, &KEY);
    let mut both = permute(u64::from_be_bytes(block), 64, &INITIAL);
    for round in 0..16 {
        for _ in 0..if matches!(round, 0 | 1 | 8 | 15) { 1 } else { 2 } {
            key = key << 1 & WITHOUT_CARRY | key >> 27 & 0x1000_0001;
        }
        let round_key = permute(key, 56, &ROUND_KEY);
        // The right half.
        #[allow(clippy::cast_possible_truncation, reason = "this is the lower half")]
        let right = both as u32;
        let mut mixed = 0;
        for (at, rows) in (0..).zip(BOXES) {
            // Six bits, of which the first and the last are also bits of the neighbors.
            let six = u64::from(right.rotate_left(5 + 4 * at)) ^ round_key >> (42 - 6 * at);
            let row = if six & 32 == 0 { [rows[0], rows[1]] } else { [rows[2], rows[3]] };
            let row = if six & 1 == 0 { row[0] } else { row[1] };
            mixed = mixed << 4 | row >> (60 - (six << 1 & 60)) & 15;
        }
        both = both << 32 | both >> 32 ^ permute(mixed, 32, &MIX);
    }
    both = both.rotate_left(32);
    let mut result = 0;
    for (at, &to) in INITIAL.iter().enumerate() {
        result |= (both >> (63 - at) & 1) << (64 - to);
    }
    result.to_be_bytes()
}

/// Returns the bits of `value`, which has `size` bits, at the positions of a table.
#[inline(never)]
fn permute(value: u64, size: u8, table: &[u8]) -> u64 {
    let mut result = 0;
    for &from in table {
        result = result << 1 | value >> (size - from) & 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use des::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};

    use super::*;

    #[test]
    fn blocks_are_encrypted_as_by_another_implementation() {
        // The generator of `minstd`.
        let mut state = 1_u64;
        let mut bytes = || {
            [(); 8].map(|()| {
                state = state * 48_271 % 0x7fff_ffff;
                state.to_le_bytes()[1]
            })
        };
        for _ in 0..10_000 {
            let (key, block) = (bytes(), bytes());
            let mut expected = Array::from(block);
            des::Des::new(&Array::from(key)).encrypt_block(&mut expected);
            assert_eq!(encrypt(key, block), <[u8; 8]>::from(expected), "{key:?} {block:?}");
        }
    }
}
