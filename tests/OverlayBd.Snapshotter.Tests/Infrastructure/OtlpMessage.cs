// SPDX-License-Identifier: Apache-2.0

using Google.Protobuf;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>The fields of a protobuf message by their numbers, as opentelemetry-proto's trace.proto and metrics.proto give them.</summary>
internal sealed class OtlpMessage
{
    private readonly List<(int Field, ByteString Value)> _messages = [];
    private readonly Dictionary<int, long> _numbers = [];

    public static OtlpMessage Read(ByteString bytes) => Read(bytes.ToByteArray());

    public static OtlpMessage Read(byte[] bytes)
    {
        OtlpMessage message = new();
        CodedInputStream input = new(bytes);
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            int field = WireFormat.GetTagFieldNumber(tag);
            switch (WireFormat.GetTagWireType(tag))
            {
                case WireFormat.WireType.LengthDelimited:
                    message._messages.Add((field, input.ReadBytes()));
                    break;
                case WireFormat.WireType.Varint:
                    message._numbers[field] = input.ReadInt64();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return message;
    }

    public IEnumerable<ByteString> Messages(int field) => _messages.Where(entry => entry.Field == field).Select(entry => entry.Value);

    public string Text(int field) => Messages(field).LastOrDefault()?.ToStringUtf8() ?? "";

    public string Hex(int field) => Convert.ToHexStringLower((Messages(field).LastOrDefault() ?? ByteString.Empty).Span);

    public long Number(int field) => _numbers.GetValueOrDefault(field);
}
