// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OverlayBd.Format.Config;

/// <summary>Reads and writes the global configuration, and notes what in it nobody knows.</summary>
internal static class ServiceConfigJson
{
    private static readonly ServiceConfigJsonContext s_context = new(
        new JsonSerializerOptions(ServiceConfigJsonContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static byte[] Write(ServiceConfig config) => JsonSerializer.SerializeToUtf8Bytes(config, s_context.ServiceConfig);

    public static ServiceConfig Read(ReadOnlySpan<byte> json, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (json.Length > ServiceConfig.MaxLength)
        {
            throw new InvalidDataException($"{name} is {json.Length} bytes long; a configuration has {ServiceConfig.MaxLength} at most.");
        }

        json = json.StartsWith(Encoding.UTF8.Preamble) ? json[Encoding.UTF8.Preamble.Length..] : json;
        try
        {
            ServiceConfig config = JsonSerializer.Deserialize(json, s_context.ServiceConfig)
                ?? throw new InvalidDataException($"{name}: expected a JSON object, found null.");
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            List<string> warnings = [];
            FindUnknown(document.RootElement, s_context.ServiceConfig, "", name, warnings);
            return config with { Warnings = warnings };
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(
                $"{name}: the configuration is not valid at {Shorten(e.Path) ?? "$"}, line {e.LineNumber + 1}, byte "
                + $"{e.BytePositionInLine}: {Shorten(e.Message)}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NotSupportedException)
        {
            // A string that is not valid UTF-8, or a number that is none, surfaces as one of these.
            throw new InvalidDataException($"{name}: the configuration is not valid: {Shorten(e.Message)}", e);
        }
    }

    private static void FindUnknown(JsonElement value, JsonTypeInfo type, string path, string name, List<string> warnings)
    {
        foreach (JsonProperty field in value.EnumerateObject())
        {
            JsonPropertyInfo? known = type.Properties.FirstOrDefault(
                property => string.Equals(property.Name, field.Name, StringComparison.OrdinalIgnoreCase));
            if (known is null)
            {
                warnings.Add($"{name}: the field {Shorten(path + field.Name)} is not known and has no effect.");
            }
            else if (field.Value.ValueKind == JsonValueKind.Object && s_context.GetTypeInfo(known.PropertyType) is JsonTypeInfo inner)
            {
                FindUnknown(field.Value, inner, $"{path}{field.Name}.", name, warnings);
            }
        }
    }

    private static string? Shorten(string? text) => text is { Length: > 300 } ? string.Concat(text.AsSpan(0, 300), "…") : text;
}
