package io.attune.launcher.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;

/**
 * The local issuer's RSA key: signs tokens (RS256, RFC 7518) and shows its public part (RFC 7517).
 */
final class SigningKey {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();

  private final KeyPair pair;
  private final String id;

  private SigningKey(KeyPair pair) throws GeneralSecurityException {
    this.pair = pair;
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(pair.getPublic().getEncoded());
    this.id = URL.encodeToString(Arrays.copyOf(digest, 12));
  }

  /** The key in a file (PKCS #8, readable by its owner only); made there where it is missing. */
  static SigningKey loadOrCreate(Path file) {
    try {
      byte[] encoded = Secrets.readOrNull(file);
      if (encoded != null) {
        return decode(encoded);
      }
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      KeyPair pair = generator.generateKeyPair();
      Secrets.write(file, pair.getPrivate().getEncoded());
      return new SigningKey(pair);
    } catch (GeneralSecurityException e) {
      throw new LauncherException(
          "the issuer's key in " + file + " is unreadable: delete it and start again", e);
    }
  }

  private static SigningKey decode(byte[] encoded) throws GeneralSecurityException {
    KeyFactory factory = KeyFactory.getInstance("RSA");
    RSAPrivateCrtKey key =
        (RSAPrivateCrtKey) factory.generatePrivate(new PKCS8EncodedKeySpec(encoded));
    RSAPublicKeySpec spec = new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent());
    return new SigningKey(new KeyPair(factory.generatePublic(spec), key));
  }

  /** A signed token with these claims. */
  String sign(Map<String, Object> claims) {
    try {
      Map<String, Object> header = Map.of("alg", "RS256", "typ", "JWT", "kid", id);
      String content = part(header) + "." + part(claims);
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initSign(pair.getPrivate());
      signature.update(content.getBytes(StandardCharsets.US_ASCII));
      return content + "." + URL.encodeToString(signature.sign());
    } catch (GeneralSecurityException | JsonProcessingException e) {
      throw new LauncherException("a token cannot be signed", e);
    }
  }

  /** The public key as a JSON web key set. */
  Map<String, Object> keySet() {
    RSAPublicKey key = (RSAPublicKey) pair.getPublic();
    return Map.of(
        "keys",
        new Object[] {
          Map.of(
              "kid",
              id,
              "kty",
              "RSA",
              "alg",
              "RS256",
              "use",
              "sig",
              "n",
              unsigned(key.getModulus()),
              "e",
              unsigned(key.getPublicExponent()))
        });
  }

  private static String part(Map<String, Object> content) throws JsonProcessingException {
    return URL.encodeToString(JSON.writeValueAsBytes(content));
  }

  private static String unsigned(BigInteger value) {
    byte[] bytes = value.toByteArray();
    int from = bytes.length > 1 && bytes[0] == 0 ? 1 : 0;
    return URL.encodeToString(Arrays.copyOfRange(bytes, from, bytes.length));
  }
}
