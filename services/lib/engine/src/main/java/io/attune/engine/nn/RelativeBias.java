package io.attune.engine.nn;

/**
 * Relative position bias of T5 (Raffel et al., arXiv 1910.10683, section 2.1): a learned number for
 * each head and each bucket of distances, added to the products of query and key.
 *
 * <p>Half of the buckets hold one distance each; the others grow logarithmically up to {@code
 * maxDistance}, beyond which all distances share the last.
 *
 * @param weight name of [buckets, H]
 * @param bidirectional whether keys after the query have buckets of their own (half of all); else
 *     they share that of distance 0
 */
public record RelativeBias(String weight, boolean bidirectional, int buckets, int maxDistance) {

  /**
   * Emits the bias.
   *
   * @param distances variable holding key position minus query position, int64, [b, T, S]
   * @return a variable holding [b, H, T, S]
   */
  public String emit(MethodWriter out, String distances) {
    int each = bidirectional ? buckets / 2 : buckets;
    int exact = each / 2;
    String ago =
        bidirectional
            ? out.value("torch.abs(%s)", distances)
            : out.value("torch.clamp_min(torch.neg(%s), 0)", distances);
    // In the reference's order and precision: a distance at a bucket's edge must fall as it does.
    String logarithmic =
        out.value(
            "torch.mul(torch.div(torch.log(torch.div(%s.float(), %d)), %s), %d)",
            ago, exact, MethodWriter.number(Math.log((double) maxDistance / exact)), each - exact);
    String far =
        out.value("torch.clamp_max(torch.add(%s.long(), %d), %d)", logarithmic, exact, each - 1);
    String bucket = out.value("torch.where(torch.lt(%s, %d), %s, %s)", ago, exact, ago, far);
    if (bidirectional) {
      bucket = out.value("torch.add(%s, torch.mul(torch.gt(%s, 0), %d))", bucket, distances, each);
    }
    String values = out.value("torch.embedding(%s, %s)", out.weight(weight), bucket);
    return out.value("torch.permute(%s, [0, 3, 1, 2])", values);
  }
}
