// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Oci;

/// <summary>A set of strings in the form <c>{"80/tcp":{}}</c>, written in byte order.</summary>
internal sealed class SortedSetJsonConverter : JsonConverter<IReadOnlySet<string>>
{
    public override IReadOnlySet<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("The value is not an object.");
        }

        var set = new SortedSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            set.Add(reader.GetString()!);
            reader.Read();
            reader.Skip();
        }

        return set;
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlySet<string> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (string item in value.Order(StringComparer.Ordinal))
        {
            writer.WriteStartObject(item);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}
