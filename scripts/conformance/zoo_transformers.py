"""Every architecture of transformers that a small random configuration builds, for make_zoo.py."""
import inspect

import torch
import transformers
from torch import nn
from transformers import AutoConfig
from transformers.models.auto import modeling_auto as auto

VOCABULARY = 120
SIZES = {
    'vocab_size': VOCABULARY, 'hidden_size': 64, 'd_model': 64, 'n_embd': 64, 'dim': 64, 'embedding_size': 64, 'word_embed_proj_dim': 64,
    'num_hidden_layers': 2, 'n_layer': 2, 'n_layers': 2, 'num_layers': 2, 'encoder_layers': 2, 'decoder_layers': 2, 'num_decoder_layers': 2,
    'num_encoder_layers': 2, 'num_attention_heads': 4, 'n_head': 4, 'n_heads': 4, 'num_heads': 4, 'encoder_attention_heads': 4,
    'decoder_attention_heads': 4, 'num_key_value_heads': 2, 'num_kv_heads': 2, 'multi_query_group_num': 2, 'head_dim': 16, 'd_kv': 16,
    'intermediate_size': 128, 'd_ff': 128, 'ffn_dim': 128, 'encoder_ffn_dim': 128, 'decoder_ffn_dim': 128, 'n_inner': 128,
    'hidden_dim': 128, 'moe_intermediate_size': 32, 'shared_expert_intermediate_size': 32, 'max_position_embeddings': 64,
    'n_positions': 64, 'n_ctx': 64, 'num_experts': 4, 'num_local_experts': 4, 'n_routed_experts': 4, 'num_experts_per_tok': 2,
    'image_size': 32, 'patch_size': 8, 'projection_dim': 32, 'q_lora_rank': 16, 'kv_lora_rank': 16, 'qk_rope_head_dim': 8,
    'qk_nope_head_dim': 16, 'v_head_dim': 16, 'state_size': 8, 'time_step_rank': 4, 'sliding_window': 4, 'pad_token_id': 0,
    'bos_token_id': 1, 'eos_token_id': 2, 'decoder_start_token_id': 1, 'type_vocab_size': 2, 'num_mel_bins': 16, 'max_source_positions': 32,
    'max_target_positions': 64, 'num_conv_pos_embeddings': 8, 'num_conv_pos_embedding_groups': 4, 'n_group': 1, 'topk_group': 1,
    'depth': 2, 'embed_dim': 32, 'out_hidden_size': 64, 'first_k_dense_replace': 1, 'num_labels': 3, 'encoder_hidden_size': 64, 'decoder_hidden_size': 64,
    'num_global_key_value_heads': 2, 'global_head_dim': 16, 'attention_head_size': 16, 'num_codebooks': 2, 'codebook_size': 32, 'audio_channels': 1,
}
LISTS = {
    'rope_parameters': None, 'layer_types': None, 'mlp_layer_types': None,
    'depths': 1, 'hidden_sizes': 0, 'num_heads': 0,
}
IMAGE = ('vit beit deit convnext convnextv2 swin swinv2 resnet regnet bit dinov2 poolformer pvt pvt_v2 mobilenet levit cvt focalnet efficientnet '
         'segformer glpn hiera').split()
EXTRA = {
    'transfo-xl': {},
    'mamba2': {'num_heads': 8, 'head_dim': 16, 'expand': 2, 'hidden_size': 64, 'n_groups': 1, 'chunk_size': 8, 'state_size': 8},
    'whisper': {'max_source_positions': 20, 'num_mel_bins': 16},
    'bloom': {'hidden_size': 64, 'n_layer': 2, 'n_head': 4},
    'falcon': {'alibi': False, 'new_decoder_architecture': False, 'multi_query': True},
    'mpt': {'d_model': 64, 'n_heads': 4, 'n_layers': 2, 'expansion_ratio': 2},
    'albert': {'embedding_size': 32},
    'electra': {'embedding_size': 32},
    'reformer': {'num_buckets': 4, 'axial_pos_shape': [4, 4], 'axial_pos_embds_dim': [32, 32], 'attn_layers': ['local', 'lsh'], 'lsh_num_chunks_after': 0,
                 'lsh_attn_chunk_length': 4, 'local_attn_chunk_length': 4, 'is_decoder': False},
    'longformer': {'attention_window': 4},
    'led': {'attention_window': 4, 'max_encoder_position_embeddings': 64, 'max_decoder_position_embeddings': 64},
    'swin': {'embed_dim': 16, 'depths': [1, 2], 'num_heads': [2, 4], 'window_size': 4, 'patch_size': 2, 'image_size': 32},
    'swinv2': {'embed_dim': 16, 'depths': [1, 2], 'num_heads': [2, 4], 'window_size': 4, 'patch_size': 2, 'image_size': 32},
    'swin2sr': {'embed_dim': 24, 'depths': [1, 2], 'num_heads': [2, 4], 'window_size': 4, 'image_size': 32},
    'donut-swin': {'embed_dim': 16, 'depths': [1, 2], 'num_heads': [2, 4], 'window_size': 4, 'patch_size': 2, 'image_size': 32},
    'maskformer-swin': {'embed_dim': 16, 'depths': [1, 2], 'num_heads': [2, 4], 'window_size': 4, 'patch_size': 2, 'image_size': 32},
    'dinat': {},
    'segformer': {'hidden_sizes': [16, 24, 32, 48], 'depths': [1, 1, 1, 1], 'num_attention_heads': [1, 2, 4, 8], 'sr_ratios': [8, 4, 2, 1]},
    'convnext': {'hidden_sizes': [16, 24, 32, 48], 'depths': [1, 1, 2, 1], 'patch_size': 4},
    'convnextv2': {'hidden_sizes': [16, 24, 32, 48], 'depths': [1, 1, 2, 1], 'patch_size': 4},
    'resnet': {'embedding_size': 16, 'hidden_sizes': [16, 24, 32, 48], 'depths': [1, 1, 2, 1]},
    'regnet': {'embedding_size': 16, 'hidden_sizes': [16, 32, 48, 64], 'depths': [1, 1, 2, 1], 'groups_width': 8},
    'bit': {'embedding_size': 16, 'hidden_sizes': [32, 64], 'depths': [1, 2], 'num_groups': 8},
    'poolformer': {'hidden_sizes': [16, 24, 32, 48], 'depths': [1, 1, 2, 1]},
    'pvt': {'hidden_sizes': [16, 32, 48, 64], 'depths': [1, 1, 1, 1], 'num_attention_heads': [1, 2, 3, 4], 'image_size': 64},
    'pvt_v2': {'hidden_sizes': [16, 32, 48, 64], 'depths': [1, 1, 1, 1], 'num_attention_heads': [1, 2, 3, 4], 'image_size': 64},
    'glpn': {'hidden_sizes': [16, 24, 32, 48], 'depths': [1, 1, 1, 1], 'num_attention_heads': [1, 2, 4, 8], 'decoder_hidden_size': 16},
    'focalnet': {'embed_dim': 16, 'hidden_sizes': [16, 32], 'depths': [1, 1], 'focal_levels': [2, 2], 'focal_windows': [3, 3], 'patch_size': 4},
    'levit': {'image_size': 64, 'hidden_sizes': [32, 48, 64], 'depths': [1, 1, 1], 'num_attention_heads': [2, 3, 4], 'patch_size': 16, 'key_dim': [8, 8, 8]},
    'mobilenet_v1': {'image_size': 64, 'depth_multiplier': 0.25}, 'mobilenet_v2': {'image_size': 64, 'depth_multiplier': 0.35},
    'mobilevit': {'image_size': 64, 'hidden_sizes': [24, 32, 40], 'neck_hidden_sizes': [8, 12, 16, 24, 32, 40, 48], 'patch_size': 2, 'num_hidden_layers': 4},
    'mobilevitv2': {'image_size': 64, 'patch_size': 2}, 'efficientnet': {'image_size': 64, 'width_coefficient': 0.5, 'depth_coefficient': 0.5, 'hidden_dim': 640},
    'cvt': {'image_size': 64, 'embed_dim': [16, 32, 48], 'num_heads': [1, 2, 3], 'depth': [1, 1, 2], 'patch_sizes': [7, 3, 3]},
    'swiftformer': {'image_size': 64, 'depths': [1, 1, 1, 1], 'embed_dims': [16, 24, 32, 48]},
    'textnet': {'image_size': 64}, 'hgnet_v2': {'image_size': 64},
    'timesformer': {'num_frames': 2}, 'vivit': {'num_frames': 4, 'tubelet_size': [2, 8, 8]}, 'videomae': {'num_frames': 4, 'tubelet_size': 2},
    'wav2vec2': {'conv_dim': [16, 16, 16], 'conv_stride': [5, 4, 4], 'conv_kernel': [10, 3, 3], 'num_feat_extract_layers': 3, 'conv_bias': True},
    'vits': {'flow_size': 32, 'spectrogram_bins': 17, 'upsample_initial_channel': 32},
    'convbert': {'embedding_size': 64}, 'nystromformer': {'num_landmarks': 4, 'segment_means_seq_len': 12, 'max_position_embeddings': 64},
    'rwkv': {'attention_hidden_size': 64, 'context_length': 32, 'intermediate_size': 128},
    'esm': {'vocab_size': 33, 'position_embedding_type': 'rotary', 'pad_token_id': 1}, 'squeezebert': {'embedding_size': 64},
    'mobilebert': {'embedding_size': 32, 'intra_bottleneck_size': 32, 'num_feedforward_networks': 2}, 'prophetnet': {'num_encoder_attention_heads': 4},
    'perceiver': {'num_latents': 8, 'd_latents': 32, 'num_self_attends_per_block': 2, 'num_self_attention_heads': 4, 'num_cross_attention_heads': 4},
    'funnel': {'block_sizes': [1, 1], 'd_inner': 128, 'd_head': 16}, 'xlnet': {'d_inner': 128, 'd_head': 16}, 'ctrl': {'dff': 128},
    'mra': {'block_per_row': 1}, 'canine': {'num_hash_buckets': 64, 'downsampling_rate': 4, 'local_transformer_stride': 8},
    'patchtst': {'num_input_channels': 2, 'context_length': 32, 'patch_length': 4}, 'patchtsmixer': {'num_input_channels': 2, 'context_length': 32, 'patch_length': 8},
    'time_series_transformer': {'prediction_length': 4, 'context_length': 8}, 'informer': {'prediction_length': 4, 'context_length': 8},
    'autoformer': {'prediction_length': 4, 'context_length': 8}, 'layoutlmv2': {}, 'layoutlm': {'max_2d_position_embeddings': 1024},
    'encodec': {'num_filters': 8, 'hidden_size': 16, 'num_lstm_layers': 1}, 'dac': {'encoder_hidden_size': 8, 'decoder_hidden_size': 64},
    'univnet': {'model_in_channels': 16, 'model_hidden_channels': 16}, 'dpt': {'neck_hidden_sizes': [16, 24, 32, 48]},
}
CAUSAL = '''llama qwen2 qwen3 gemma gemma2 gemma3_text falcon bloom opt codegen gptj gpt_bigcode mpt persimmon cohere cohere2 olmo2 glm glm4 granite nemotron
phi3 stablelm mistral qwen2_moe qwen3_moe mixtral granitemoe olmoe deepseek_v2 deepseek_v3 mamba mamba2 rwkv recurrent_gemma jamba bamba falcon_mamba xglm biogpt openai-gpt
ctrl gpt_neo gpt_neox gpt_neox_japanese smollm3 exaone4 helium ernie4_5 hunyuan_v1_dense gpt_oss seed_oss arcee lfm2 minimax zamba2 nanochat dots1 doge diffllama
qwen3_next bitnet phi starcoder2 gpt2 moshi phimoe dbrx jetmoe apertus ministral olmo3 modernbert-decoder'''.split()
CACHED = 'llama qwen2 qwen3 gemma gemma2 mistral falcon opt bloom codegen gptj gpt_bigcode gpt_neox phi3 cohere granite olmo2 stablelm starcoder2 gpt_neo biogpt'.split()
HEADS = {
    'MaskedLM': 'bert roberta distilbert albert electra deberta-v2 mpnet camembert xlm mobilebert squeezebert longformer nystromformer rembert layoutlm modernbert esm roformer',
    'SequenceClassification': 'bert roberta distilbert albert electra deberta-v2 mpnet xlnet longformer llama gpt2 bart mobilebert modernbert gemma qwen2 opt',
    'QuestionAnswering': 'distilbert roberta albert electra xlnet mpnet bart deberta-v2',
    'TokenClassification': 'distilbert roberta albert electra layoutlm deberta-v2 bigbird',
    'Seq2SeqLM': '''t5 bart mbart pegasus blenderbot blenderbot-small marian m2m_100 mt5 umt5 longt5 switch_transformers led prophetnet bigbird_pegasus plbart pegasus_x
nllb-moe fsmt t5gemma mvp''',
    'ImageClassification': 'vit beit deit convnext convnextv2 swin swinv2 resnet regnet bit dinov2 poolformer pvt pvt_v2 mobilenet_v1 mobilenet_v2 mobilevit mobilevitv2 levit cvt focalnet efficientnet segformer hiera vit_msn data2vec-vision swiftformer dinov2_with_registers',
    'SemanticSegmentation': 'segformer beit upernet mobilevit mobilevitv2 mobilenet_v2 dpt data2vec-vision',
    'DepthEstimation': 'dpt glpn depth_anything zoedepth',
    'CTC': 'wav2vec2 hubert wavlm unispeech unispeech-sat sew sew-d wav2vec2-conformer wav2vec2-bert data2vec-audio parakeet_ctc',
    'AudioClassification': 'wav2vec2 hubert wavlm audio-spectrogram-transformer whisper',
    'SpeechSeq2Seq': 'whisper speech_to_text moonshine',
    'ObjectDetection': 'detr yolos conditional_detr deformable_detr rt_detr table-transformer d_fine rt_detr_v2 dab-detr rf_detr',
    'VideoClassification': 'timesformer videomae vivit',
    'ImageTextToText': 'llava paligemma git qwen2_vl qwen2_5_vl idefics3 smolvlm internvl gemma3 blip',
}


FIRST = '''albert roberta distilbert electra deberta-v2 t5 llama qwen2 gemma falcon bloom opt codegen gptj whisper wav2vec2 clip blip beit deit segformer detr
levit poolformer longformer reformer roformer mpnet mobilebert squeezebert nystromformer xlm flaubert ctrl canine perceiver led mbart blenderbot prophetnet longt5 switch_transformers
qwen3 gemma2 gemma3_text qwen2_moe deepseek_v3 mamba2 rwkv recurrent_gemma jamba mpt persimmon cohere glm granite nemotron xglm biogpt openai-gpt gpt_bigcode olmo2 gpt_oss
wavlm unispeech-sat sew sew-d speech_to_text wav2vec2-bert wav2vec2-conformer data2vec-audio vits speecht5 encodec dac mimi clap seamless_m4t moonshine
dinov2 swinv2 swin resnet regnet bit convnextv2 pvt pvt_v2 mobilenet_v1 mobilenet_v2 mobilevitv2 cvt focalnet efficientnet hiera vit_mae vit_msn vitdet data2vec-vision swiftformer
timesformer videomae vivit clip_text_model clip_vision_model siglip siglip_vision_model clipseg groupvit flava vilt bridgetower layoutlm layoutlmv3 lilt markuplm git altclip
chinese_clip owlvit owlv2 sam mask2former maskformer conditional_detr deformable_detr rt_detr table-transformer glpn modernbert esm rembert roc_bert splinter tapas luke ibert yoso mra
patchtst patchtsmixer time_series_transformer informer autoformer mt5 umt5 pegasus pegasus_x bigbird_pegasus plbart mvp nllb-moe fsmt blenderbot-small bert-generation camembert
data2vec-text ernie megatron-bert mixtral mistral phi3 stablelm starcoder2 xlnet llava qwen2_vl paligemma idefics3 decision_transformer bark musicgen univnet'''.split()


def shrink(config, model_type):
    known = dict(SIZES)
    for key, value in vars(config).items():
        if isinstance(value, transformers.PretrainedConfig):
            shrink(value, value.model_type)
        elif key in known and isinstance(value, int) and not isinstance(value, bool):
            if value > known[key] or key in ('num_key_value_heads', 'num_attention_heads'):
                setattr(config, key, known[key])
        elif key in known and value is None and key in ('num_key_value_heads',):
            continue
    base = 'wav2vec2' if any(s in model_type for s in ('wav2vec2', 'hubert', 'wavlm', 'unispeech', 'data2vec-audio')) else model_type
    for key, value in EXTRA.get(base, {}).items():
        try:
            setattr(config, key, value)
        except Exception:
            pass
    layers = getattr(config, 'num_hidden_layers', None)
    for key in ('layer_types', 'mlp_layer_types', 'layers_block_type', 'no_rope_layers'):
        value = getattr(config, key, None)
        if isinstance(value, list) and isinstance(layers, int) and len(value) > layers:
            kinds = list(dict.fromkeys(value))
            setattr(config, key, (kinds * layers)[:layers] if len(kinds) <= layers else value[:layers])
    return config


def of(value, default):
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def size_of(config, default=32):
    for holder in (config, getattr(config, 'vision_config', None)):
        side = getattr(holder, 'image_size', None)
        if isinstance(side, (list, tuple)):
            return side[0], side[-1]
        if isinstance(side, int):
            return side, side
    return default, default


def candidates(model, config):
    """Sets of keyword inputs that a model may take, the likeliest first."""
    names = list(inspect.signature(model.forward).parameters)
    main = getattr(model, 'main_input_name', 'input_ids')
    text = getattr(config, 'text_config', config)
    vocabulary = min(of(getattr(text, 'vocab_size', None), VOCABULARY), VOCABULARY)
    for n in (12, 16, 32):
        ids = torch.randint(3, max(vocabulary, 4), (2, n))
        mask = torch.ones(2, n, dtype=torch.int64)
        mask[1, n - 3:] = 0
        h, w = size_of(config)
        sides = dict.fromkeys(((h, w), (32, 32), (64, 64), (96, 96), (224, 224)))
        channels = of(getattr(config, 'num_channels', None), 3)
        tokens = {'input_ids': ids}
        if 'attention_mask' in names:
            tokens['attention_mask'] = mask
        decoder = {'decoder_input_ids': torch.randint(3, max(vocabulary, 4), (2, 6))} if 'decoder_input_ids' in names else {}
        if 'input_ids' in names and main == 'input_ids' and 'pixel_values' in names:
            for h, w in sides:
                yield {**tokens, 'pixel_values': torch.randn(2, 3, h, w)}
        if main in ('input_ids',) or 'input_ids' in names and 'pixel_values' not in names:
            yield {**tokens, **decoder}
            yield {'input_ids': ids, **decoder}
        if main == 'pixel_values' or 'pixel_values' in names:
            for h, w in sides:
                yield {'pixel_values': torch.randn(1, channels, h, w)}
            for frames in (2, 4):
                yield {'pixel_values': torch.randn(1, frames, channels, *next(iter(sides)))}
            if 'input_ids' in names:
                for h, w in sides:
                    yield {**tokens, 'pixel_values': torch.randn(2, channels, h, w)}
        if 'pixel_values_videos' in names:
            yield {'pixel_values_videos': torch.randn(1, 4, 3, 32, 32)}
        if 'input_values' in names:
            yield {'input_values': torch.randn(1, 2000)}
            yield {'input_values': torch.randn(1, 1, 2000)}
            yield {'input_values': torch.randn(1, 32, of(getattr(config, 'num_mel_bins', None), 16))}
            if 'input_ids' in names:
                yield {'input_ids': ids, 'input_values': torch.randn(2, 2000)}
        if 'input_features' in names:
            mels = of(getattr(config, 'num_mel_bins', None), 16)
            length = 2 * of(getattr(config, 'max_source_positions', None), 20)
            extra = {'decoder_input_ids': ids[:1, :6]} if 'decoder_input_ids' in names else {}
            yield {'input_features': torch.randn(1, mels, length), **extra}
            yield {'input_features': torch.randn(1, 40, mels), **extra}
            yield {'input_features': torch.randn(1, 40, of(getattr(config, 'feature_projection_input_dim', None), 80)), **extra}
            yield {'input_features': torch.randn(1, 1, 64, 64), 'input_ids': ids[:1]}
        if 'past_values' in names:
            for length in (32, 15, 8, 64):
                for shape in ((2, length, 2), (2, length, 1), (2, length), (2, length, 7)):
                    yield {'past_values': torch.randn(shape)}
        if 'bbox' in names:
            box = torch.randint(0, 30, (2, n, 4)).sort(-1)[0]
            yield {**tokens, 'bbox': box}
            yield {**tokens, 'bbox': box, 'pixel_values': torch.randn(2, 3, *next(iter(sides)))}
        if 'inputs' in names:
            yield {'inputs': torch.randn(1, n, of(getattr(config, 'd_model', None), 64))}
        if 'hidden_states' in names:
            yield {'hidden_states': torch.randn(1, n, of(getattr(config, 'hidden_size', None), 64))}


def flatten(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [t for item in value for t in flatten(item)]
    if isinstance(value, dict):
        return [t for item in value.values() for t in flatten(item)]
    return []


class Wrapped(nn.Module):
    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *args):
        return tuple(flatten(self.model(**dict(zip(self.names, args)))))


def find_inputs(model, config):
    error = None
    for keywords in candidates(model, config):
        for extra in ({'use_cache': False}, {}):
            try:
                if 'use_cache' in extra and 'use_cache' not in inspect.signature(model.forward).parameters:
                    continue
                with torch.no_grad():
                    out = model(**keywords, **extra)
                if len(flatten(out)) > 0:
                    if 'use_cache' in extra:
                        for part in (model.config, getattr(model.config, 'text_config', None), getattr(model.config, 'decoder', None)):
                            if part is not None and hasattr(part, 'use_cache'):
                                part.use_cache = False
                    return keywords
            except Exception as failed:
                error = error or failed
    raise error or RuntimeError('no inputs fit')


def class_of(model_type, head):
    names = {'': 'MODEL_MAPPING_NAMES', 'CausalLM': 'MODEL_FOR_CAUSAL_LM_MAPPING_NAMES', 'MaskedLM': 'MODEL_FOR_MASKED_LM_MAPPING_NAMES',
             'Seq2SeqLM': 'MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES', 'CTC': 'MODEL_FOR_CTC_MAPPING_NAMES', 'SpeechSeq2Seq': 'MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES',
             'SequenceClassification': 'MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES', 'QuestionAnswering': 'MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES',
             'TokenClassification': 'MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES', 'ImageClassification': 'MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES',
             'SemanticSegmentation': 'MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES', 'DepthEstimation': 'MODEL_FOR_DEPTH_ESTIMATION_MAPPING_NAMES',
             'AudioClassification': 'MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES', 'ObjectDetection': 'MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES',
             'VideoClassification': 'MODEL_FOR_VIDEO_CLASSIFICATION_MAPPING_NAMES', 'ImageTextToText': 'MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES'}[head]
    name = getattr(auto, names)[model_type]
    return getattr(transformers, name[0] if isinstance(name, (tuple, list)) else name)


def build(model_type, head, attention):
    config = shrink(AutoConfig.for_model(model_type), model_type)
    kind = class_of(model_type, head)
    with torch.device('meta'):
        config._attn_implementation = attention
        count = sum(p.numel() for p in kind(config).parameters())
    if count > 40e6:
        raise RuntimeError(f'{count} parameters')
    config = shrink(AutoConfig.for_model(model_type), model_type)
    config._attn_implementation = attention
    return kind(config).eval(), config


def maker(model_type, head='', attention='eager'):
    def make():
        model, config = build(model_type, head, attention)
        keywords = find_inputs(model, config)
        return Wrapped(model, list(keywords)), tuple(keywords.values()), 'trace'

    return make


class CachedStep(nn.Module):
    """One more token after five, with the keys and values of each layer as arguments and results."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, *past):
        cache = transformers.DynamicCache()
        for i in range(0, len(past), 2):
            cache.update(past[i], past[i + 1], i // 2)
        out = self.model(input_ids=ids, past_key_values=cache, use_cache=True)
        layers = out.past_key_values.layers
        return tuple([out.logits] + [t for layer in layers for t in (layer.keys, layer.values)])


def cached(model_type, attention):
    def make():
        model, _ = build(model_type, 'CausalLM', attention)
        with torch.no_grad():
            first = model(input_ids=torch.randint(3, VOCABULARY, (1, 5)), use_cache=True)
        past = [t.clone() for layer in first.past_key_values.layers for t in (layer.keys, layer.values)]
        return CachedStep(model), (torch.randint(3, VOCABULARY, (1, 1)), *past), 'trace'

    return make


class Generate(nn.Module):
    """Scripted greedy decoding around a traced step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def forward(self, ids: torch.Tensor, count: int) -> torch.Tensor:
        for _ in range(count):
            logits = self.step(ids)[0]
            ids = torch.cat([ids, logits[:, -1].argmax(-1, keepdim=True)], 1)
        return ids


def generated(model_type):
    def make():
        model, _ = build(model_type, 'CausalLM', 'eager')
        model.config.use_cache = False
        ids = torch.randint(3, VOCABULARY, (1, 5))
        step = torch.jit.trace(Wrapped(model, ['input_ids']), (ids,), strict=False, check_trace=False)
        return Generate(step), (ids, 4), 'script asis no64'

    return make


def cases(_group):
    out = {}
    for model_type in FIRST:
        if model_type in auto.MODEL_MAPPING_NAMES:
            out[f'{model_type}'] = maker(model_type)
    for model_type in CAUSAL:
        out[f'{model_type}_causal'] = maker(model_type, 'CausalLM', 'sdpa')
    for model_type in CACHED:
        out[f'{model_type}_kv'] = cached(model_type, 'sdpa')
    for head, types in HEADS.items():
        for model_type in types.split():
            out[f'{model_type}_{head.lower()}'] = maker(model_type, head, 'eager' if model_type in ('reformer',) else 'sdpa')
    for model_type in ('gpt2', 'gpt_neo', 'opt'):
        out[f'{model_type}_generate'] = generated(model_type)
    for model_type in auto.MODEL_MAPPING_NAMES:
        if model_type not in FIRST:
            out[f'{model_type}'] = maker(model_type)
    return out
