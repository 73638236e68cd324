#!/bin/sh
# Makes the key and trust stores that the tests of tls read, with the real openssl (3.x) and keytool (Java 17).
# Run once, in this folder; what it makes is kept in the repository. All passwords are "changeit" but where the name
# says otherwise. Everything is valid for 100 years.
set -eu
cd "$(dirname "$0")"
rm -f -- *.pem *.p12 *.jks *.jceks *.der
days=36500
pass=changeit

# A CA, and a client certificate below an intermediate of it.
ca() { # name subject
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key.pem" 2>/dev/null
    openssl req -x509 -new -key "$1.key.pem" -sha256 -days $days -subj "$2" -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
}
ca ca "/O=restow test/CN=root"
ca other-ca "/O=restow test/CN=other root"
sign() { # name subject issuer extensions
    openssl req -new -key "$1.key.pem" -subj "$2" -out "$1.csr"
    printf '%s\n' "$4" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key.pem" -days $days -sha256 -extfile "$1.ext" \
        -set_serial "0x$(openssl rand -hex 8 | sed 's/^./1/')" -out "$1.pem" 2>/dev/null
    rm "$1.csr" "$1.ext"
}
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out middle.key.pem 2>/dev/null
sign middle "/O=restow test/CN=middle" ca "basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out client.key.pem 2>/dev/null
sign client "/O=restow test/CN=client" middle "extendedKeyUsage=clientAuth"

# PEM.
cat ca.pem other-ca.pem > trust.pem
cat client.pem middle.pem > chain.pem
cat client.key.pem chain.pem > identity.pem
openssl rsa -in client.key.pem -traditional -out client.rsa.pem 2>/dev/null
openssl rsa -in client.key.pem -traditional -aes128 -passout pass:$pass -out client.oldcrypt.pem 2>/dev/null
openssl ec -in ca.key.pem -out ca.ec.pem 2>/dev/null
encrypt() { # name options
    name=$1; shift
    openssl pkcs8 -topk8 -in client.key.pem -passout pass:$pass -out "$name.pem" "$@"
}
encrypt client.aes256
encrypt client.sha1 -v2 aes-128-cbc -v2prf hmacWithSHA1
encrypt client.3des -v2 des3
encrypt client.scrypt -scrypt
encrypt client.pbe -v1 PBE-SHA1-3DES
encrypt client.pbe.rc2 -v1 PBE-SHA1-RC2-40 -provider legacy -provider default
encrypt client.pbe.md5 -v1 PBE-MD5-DES -provider legacy -provider default
# One round, to try many passwords on; the right one is not ASCII.
openssl pkcs8 -topk8 -in client.key.pem -passout 'pass:pä€𝄞' -v1 PBE-SHA1-3DES -iter 1 -out client.pbe.once.pem
cat client.aes256.pem chain.pem > identity.aes256.pem
cat client.pbe.pem chain.pem > identity.pbe.pem

# PKCS12.
export_p12() { # name options
    name=$1; shift
    openssl pkcs12 -export -in chain.pem -inkey client.key.pem -name client -passout pass:$pass \
        -out "$name.p12" "$@"
}
export_p12 identity.openssl
export_p12 identity.legacy -legacy -descert
export_p12 identity.rc2 -legacy
# Without a digest over all, for the fuzz target.
export_p12 identity.nomac -nomac
export_p12 identity.open -nomac -keypbe NONE -certpbe NONE
openssl pkcs12 -export -nokeys -in trust.pem -passout pass:$pass -out trust.openssl.p12
openssl pkcs12 -export -nokeys -in trust.pem -passout pass: -nomac -certpbe NONE -out trust.open.p12

# keytool.
import_trust() { # file type
    for name in ca other-ca; do
        keytool -importcert -noprompt -alias $name -file $name.pem -keystore "$1" -storetype "$2" \
            -storepass $pass 2>/dev/null
    done
}
import_trust trust.keytool.p12 PKCS12
import_trust trust.jks JKS
import_trust trust.jceks JCEKS
import_key() { # file type options
    file=$1; type=$2; shift 2
    keytool -importkeystore -noprompt -srckeystore identity.openssl.p12 -srcstoretype PKCS12 -srcstorepass $pass \
        -srcalias client -destkeystore "$file" -deststoretype "$type" -deststorepass $pass "$@" 2>/dev/null
}
import_key identity.keytool.p12 PKCS12
import_key identity.jks JKS
import_key identity.keypass.jks JKS -destkeypass keychangeit
# Java writes elliptic curve keys without their public half.
keytool -genkeypair -alias ec -keyalg EC -groupname secp256r1 -dname "CN=ec" -validity $days -keystore ec.p12 \
    -storetype PKCS12 -storepass $pass 2>/dev/null
keytool -genkeypair -alias ec -keyalg EC -groupname secp384r1 -dname "CN=ec" -validity $days -keystore ec.jks \
    -storetype JKS -storepass $pass -keypass $pass 2>/dev/null
# A store with two keys.
cp identity.jks two-keys.jks
keytool -genkeypair -alias second -keyalg EC -groupname secp256r1 -dname "CN=second" -validity $days \
    -keystore two-keys.jks -storetype JKS -storepass $pass -keypass $pass 2>/dev/null
openssl x509 -in ca.pem -outform DER -out ca.der
# X.509 version 1, as openssl makes it without extensions: a CA, and a broker below it; and a version 3 broker.
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out v1-ca.key.pem 2>/dev/null
openssl req -new -key v1-ca.key.pem -subj "/CN=v1 root" -out v1.csr
openssl x509 -req -in v1.csr -signkey v1-ca.key.pem -days $days -out v1-ca.pem 2>/dev/null
openssl req -new -key v1-ca.key.pem -subj "/CN=broker.example" -out v1.csr
openssl x509 -req -in v1.csr -CA v1-ca.pem -CAkey v1-ca.key.pem -set_serial 7 -days $days -out v1-leaf.pem \
    2>/dev/null
printf 'subjectAltName=DNS:broker.example\n' > v1.ext
openssl x509 -req -in v1.csr -CA v1-ca.pem -CAkey v1-ca.key.pem -set_serial 8 -days $days -extfile v1.ext \
    -out v3-leaf.pem 2>/dev/null
rm v1.csr v1.ext
# Only what the tests read is kept.
rm ./*ca.key.pem middle.key.pem ca.pem other-ca.pem middle.pem client.pem chain.pem
