// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using OverlayBd.Format.Oci;

namespace OverlayBd.Format.Config;

/// <summary>Reads and writes device configs, and turns what is wrong with one into a sentence that says where.</summary>
internal static class DeviceConfigJson
{
    private const int MaxPathLength = 4096;

    // Strings are escaped as the original's writer does.
    private static readonly DeviceConfigJsonContext s_context =
        new(new JsonSerializerOptions(DeviceConfigJsonContext.Default.Options) { Encoder = GoJsonEncoder.Instance });

    public static byte[] Write(DeviceConfig config) => JsonSerializer.SerializeToUtf8Bytes(config, s_context.DeviceConfig);

    public static DeviceConfig Read(ReadOnlySpan<byte> json, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (json.Length > DeviceConfig.MaxLength)
        {
            throw new InvalidDataException($"{name} is {json.Length} bytes long; a device config has {DeviceConfig.MaxLength} at most.");
        }

        json = json.StartsWith(Encoding.UTF8.Preamble) ? json[Encoding.UTF8.Preamble.Length..] : json;
        DeviceConfig config;
        try
        {
            config = JsonSerializer.Deserialize(json, s_context.DeviceConfig)
                ?? throw new InvalidDataException($"{name}: expected a JSON object, found null.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(
                $"{name}: the device config is not valid at {Shorten(e.Path) ?? "$"}, line {e.LineNumber + 1}, byte "
                + $"{e.BytePositionInLine}: {Shorten(e.Message)}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or NotSupportedException)
        {
            // A string that is not valid UTF-8, or a number that is none, surfaces as one of these.
            throw new InvalidDataException($"{name}: the device config is not valid: {Shorten(e.Message)}", e);
        }

        Check(config, name);
        return config;
    }

    private static void Check(DeviceConfig config, string name)
    {
        CheckPath(config.RepoBlobUrl, name, "repoBlobUrl");
        CheckPath(config.ResultFile, name, "resultFile");
        CheckPath(config.RecordTracePath, name, "recordTracePath");
        CheckPath(config.Upper.Index, name, "upper.index");
        CheckPath(config.Upper.Data, name, "upper.data");
        CheckPath(config.Upper.Target, name, "upper.target");
        CheckPath(config.Upper.GzipIndex, name, "upper.gzipIndex");

        // The acceleration layer comes on top of the layers.
        int limit = DeviceConfig.MaxLowers + (config.AccelerationLayer ? 1 : 0);
        if (config.Lowers.Count > limit)
        {
            throw new InvalidDataException($"{name}: lowers has {config.Lowers.Count} elements; a device has {limit} at most.");
        }

        for (int i = 0; i < config.Lowers.Count; i++)
        {
            LowerConfig lower = config.Lowers[i] ?? throw new InvalidDataException($"{name}: lowers[{i}] is null.");
            CheckPath(lower.File, name, $"lowers[{i}].file");
            CheckPath(lower.Directory, name, $"lowers[{i}].dir");
            CheckPath(lower.TargetFile, name, $"lowers[{i}].targetFile");
            CheckPath(lower.GzipIndex, name, $"lowers[{i}].gzipIndex");
            if (lower.Size < 0)
            {
                throw new InvalidDataException($"{name}: lowers[{i}].size is negative ({lower.Size}).");
            }
        }
    }

    private static void CheckPath(string? path, string name, string field)
    {
        if (path is null)
        {
            return;
        }

        if (path.Length > MaxPathLength)
        {
            throw new InvalidDataException($"{name}: {field} has {path.Length} characters; at most {MaxPathLength} are read.");
        }

        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{name}: {field} contains a zero character.");
        }
    }

    private static string? Shorten(string? text) => text is { Length: > 300 } ? string.Concat(text.AsSpan(0, 300), "…") : text;
}
