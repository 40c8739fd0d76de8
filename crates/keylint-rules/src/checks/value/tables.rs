//! The values that a condition key can have, where there are few.
//!
//! From the enumerations of the AWS KMS API (its model in botocore 1.44.5), and of the IAM guide for
//! `aws:PrincipalType`.

use keylint_policy::vocabulary::KeyId;

/// Keys, and the only values that they have.
pub(super) const VALUES: &[(&[KeyId], &[&str])] = &[
    (
        &[KeyId::KEY_SPEC, KeyId::CUSTOMER_MASTER_KEY_SPEC],
        &[
            "SYMMETRIC_DEFAULT",
            "RSA_2048",
            "RSA_3072",
            "RSA_4096",
            "ECC_NIST_P256",
            "ECC_NIST_P384",
            "ECC_NIST_P521",
            "ECC_SECG_P256K1",
            "ECC_NIST_EDWARDS25519",
            "HMAC_224",
            "HMAC_256",
            "HMAC_384",
            "HMAC_512",
            "ML_DSA_44",
            "ML_DSA_65",
            "ML_DSA_87",
            "ML_KEM_512",
            "ML_KEM_768",
            "ML_KEM_1024",
            "SM2",
        ],
    ),
    (
        &[KeyId::KEY_USAGE, KeyId::CUSTOMER_MASTER_KEY_USAGE],
        &[
            "ENCRYPT_DECRYPT",
            "SIGN_VERIFY",
            "GENERATE_VERIFY_MAC",
            "KEY_AGREEMENT",
            "ENCAPSULATE_DECAPSULATE",
        ],
    ),
    (&[KeyId::KEY_ORIGIN], &["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]),
    (&[KeyId::MULTI_REGION_KEY_TYPE], &["PRIMARY", "REPLICA"]),
    (
        &[KeyId::DATA_KEY_PAIR_SPEC],
        &[
            "RSA_2048",
            "RSA_3072",
            "RSA_4096",
            "ECC_NIST_P256",
            "ECC_NIST_P384",
            "ECC_NIST_P521",
            "ECC_SECG_P256K1",
            "ECC_NIST_EDWARDS25519",
            "ML_KEM_512",
            "ML_KEM_768",
            "ML_KEM_1024",
            "SM2",
        ],
    ),
    (
        &[KeyId::ENCRYPTION_ALGORITHM],
        &["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"],
    ),
    (
        &[KeyId::SIGNING_ALGORITHM],
        &[
            "RSASSA_PSS_SHA_256",
            "RSASSA_PSS_SHA_384",
            "RSASSA_PSS_SHA_512",
            "RSASSA_PKCS1_V1_5_SHA_256",
            "RSASSA_PKCS1_V1_5_SHA_384",
            "RSASSA_PKCS1_V1_5_SHA_512",
            "ECDSA_SHA_256",
            "ECDSA_SHA_384",
            "ECDSA_SHA_512",
            "ED25519_SHA_512",
            "ED25519_PH_SHA_512",
            "ML_DSA_SHAKE_256",
            "SM2DSA",
        ],
    ),
    (&[KeyId::MAC_ALGORITHM], &["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"]),
    (&[KeyId::MESSAGE_TYPE], &["RAW", "DIGEST", "EXTERNAL_MU"]),
    (&[KeyId::EXPIRATION_MODEL], &["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"]),
    (&[KeyId::KEY_AGREEMENT_ALGORITHM], &["ECDH"]),
    (
        &[KeyId::WRAPPING_ALGORITHM],
        &[
            "RSAES_PKCS1_V1_5",
            "RSAES_OAEP_SHA_1",
            "RSAES_OAEP_SHA_256",
            "RSA_AES_KEY_WRAP_SHA_1",
            "RSA_AES_KEY_WRAP_SHA_256",
            "SM2PKE",
        ],
    ),
    (&[KeyId::WRAPPING_KEY_SPEC], &["RSA_2048", "RSA_3072", "RSA_4096", "SM2"]),
    (&[KeyId::GRANT_CONSTRAINT_TYPE], &["EncryptionContextEquals", "EncryptionContextSubset", "SourceArn"]),
    (&[KeyId::PRINCIPAL_TYPE], &["Account", "User", "FederatedUser", "AssumedRole", "Anonymous"]),
];
