// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;
using OverlayBd.Format.Oci;

namespace OverlayBd.Format.Config;

/// <summary>A digest that may be an empty string, which the original takes for none.</summary>
internal sealed class OptionalDigestJsonConverter : JsonConverter<Digest?>
{
    public override Digest? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException("Expected a digest.");
        }

        string? text = reader.GetString();
        return string.IsNullOrEmpty(text) ? null
            : Digest.TryParse(text, out Digest digest) ? digest
            : throw new JsonException("Expected sha256: or sha512: and lower-case hexadecimal digits.");
    }

    public override void Write(Utf8JsonWriter writer, Digest? value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
